package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// flags are what the command line says, but for the request's items.
type flags struct {
	set  *flag.FlagSet
	args []string // what is not a flag: method, URL, items

	form, multipart, json, asIs     bool
	ignoreStdin, chunked            bool
	raw, boundary                   string
	auth, authType                  string
	session, sessionReadOnly        string
	download, resume, follow        bool
	output, print, pretty           string
	headers, body, all              bool
	verbose                         countFlag
	meta, quiet, stream             bool
	checkStatus                     bool
	offline, curl                   bool
	fromCurl, har                   string
	verify, cert, certKey, certPass string
	proxies                         listFlag
	timeout                         time.Duration
	maxRedirects                    int
	scheme                          string
	help, version                   bool
	completion                      string
}

// listFlag is a flag that may be repeated.
type listFlag []string

func (l *listFlag) String() string { return strings.Join(*l, ", ") }

// Set implements [flag.Value].
func (l *listFlag) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// countFlag is a flag without a value that says more where it is repeated.
type countFlag int

func (c *countFlag) String() string { return strconv.FormatBool(*c > 0) }

// IsBoolFlag makes it a flag without a value.
func (c *countFlag) IsBoolFlag() bool { return true }

// Set implements [flag.Value].
func (c *countFlag) Set(value string) error {
	on, err := strconv.ParseBool(value)
	*c = map[bool]countFlag{true: *c + 1, false: 0}[on]
	return err
}

// short are the letters of flags.
var short = map[string]string{
	"f": "form", "a": "auth", "A": "auth-type", "d": "download", "c": "continue", "F": "follow", "o": "output",
	"p": "print", "h": "headers", "b": "body", "m": "meta", "v": "verbose", "q": "quiet", "I": "ignore-stdin", "j": "json", "S": "stream",
}

func newFlags() *flags {
	f := &flags{set: flag.NewFlagSet("requests", flag.ContinueOnError)}
	s := f.set
	s.SetOutput(io.Discard)
	s.BoolVar(&f.form, "form", false, "the data items are a form; multipart if there is a file")
	s.BoolVar(&f.multipart, "multipart", false, "the data items are a multipart form")
	s.BoolVar(&f.json, "json", false, "the data items are JSON, which is the default; asks for JSON without data, too")
	s.StringVar(&f.boundary, "boundary", "", "`text` between the parts of a multipart form")
	s.BoolVar(&f.asIs, "path-as-is", false, "send the path as it is written: dot segments stay, and nothing is encoded")
	s.BoolVar(&f.chunked, "chunked", false, "send the body in chunks, without its length")
	s.StringVar(&f.raw, "raw", "", "the body as it is")
	s.BoolVar(&f.ignoreStdin, "ignore-stdin", false, "do not read a body from the standard input")
	s.StringVar(&f.auth, "auth", "", "`user:password`, or a token for -A bearer")
	s.StringVar(&f.authType, "auth-type", "basic", "basic, digest or bearer")
	s.StringVar(&f.session, "session", "", "keep headers, auth and cookies under this `name`, or in this file, for the host")
	s.StringVar(&f.sessionReadOnly, "session-read-only", "", "use what is kept, and keep nothing new")
	s.BoolVar(&f.download, "download", false, "save the body in a file, named by the server or by --output")
	s.BoolVar(&f.resume, "continue", false, "with --download and --output: go on where a download broke off")
	s.StringVar(&f.output, "output", "", "write to this `file` instead of the standard output")
	s.BoolVar(&f.follow, "follow", false, "follow redirects")
	s.BoolVar(&f.all, "all", false, "with --follow: print the responses before the last one, too")
	s.IntVar(&f.maxRedirects, "max-redirects", 30, "with --follow: how many redirects at most")
	s.StringVar(&f.print, "print", "", "what is printed: `HBhbm`, request head and body, response head and body, time")
	s.BoolVar(&f.meta, "meta", false, "--print m")
	s.BoolVar(&f.quiet, "quiet", false, "print nothing; --output and --download still write")
	s.BoolVar(&f.checkStatus, "check-status", true, "end with 3, 4 or 5 for a response of that class")
	s.BoolVar(&f.stream, "stream", false, "print each line as it comes where it is formatted or colored, too")
	s.BoolVar(&f.headers, "headers", false, "--print h")
	s.BoolVar(&f.body, "body", false, "--print b")
	s.Var(&f.verbose, "verbose", "--print HBhb --all; given twice, --print HBhbm")
	s.StringVar(&f.pretty, "pretty", "", "`all`, colors, format or none; all on a terminal, else none")
	s.BoolVar(&f.offline, "offline", false, "print the request and send nothing")
	s.BoolVar(&f.curl, "curl", false, "print the request as a command of curl, and send nothing")
	s.StringVar(&f.fromCurl, "from-curl", "", "send what this `command` of curl would send")
	s.StringVar(&f.har, "har", "", "record the exchange as an HTTP Archive in this `file`")
	s.StringVar(&f.verify, "verify", "yes", "no, or a `file` of certificates to trust")
	s.StringVar(&f.cert, "cert", "", "a client certificate: a `file`")
	s.StringVar(&f.certKey, "cert-key", "", "its key, where that is another `file`")
	s.StringVar(&f.certPass, "cert-key-pass", "", "the `password` of the key")
	s.Var(&f.proxies, "proxy", "`scheme:URL` of a proxy; may be repeated")
	s.DurationVar(&f.timeout, "timeout", 0, "for connecting and for each wait, as `3s`")
	s.StringVar(&f.scheme, "default-scheme", "http", "of a URL without")
	s.BoolVar(&f.help, "help", false, "print this")
	s.BoolVar(&f.version, "version", false, "print the version")
	s.StringVar(&f.completion, "completion", "", "print what a `shell` needs to complete flags: bash, zsh or fish")
	for letter, name := range short {
		s.Var(s.Lookup(name).Value, letter, "--"+name)
	}
	return f
}

// parseFlags takes flags from wherever they stand.
func parseFlags(args []string) (*flags, error) {
	f := newFlags()
	args = f.spread(args)
	for {
		if err := f.set.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				f.help = true
				return f, nil
			}
			return nil, misuse("%s: see requests --help", wrongFlag(err.Error(), args))
		}
		rest := f.set.Args()
		if len(rest) == 0 {
			return f, f.check()
		}
		if at := len(args) - len(rest) - 1; at >= 0 && args[at] == "--" {
			f.args = append(f.args, rest...)
			return f, f.check()
		}
		f.args, args = append(f.args, rest[0]), rest[1:]
	}
}

// wrongFlag is what Go's flags say of args, with an unknown flag as it is written there.
func wrongFlag(text string, args []string) string {
	name, unknown := strings.CutPrefix(text, "flag provided but not defined: ")
	for _, arg := range args {
		if flagName, _, _ := strings.Cut(arg, "="); unknown && strings.TrimPrefix(flagName, "-") == name {
			name = flagName
		}
	}
	if unknown {
		return "unknown flag " + name
	}
	return text
}

// ofRequest are the flags that say what is sent.
var ofRequest = []string{"form", "multipart", "json", "raw", "boundary", "chunked", "path-as-is", "default-scheme"}

// alsoSet is one of the flags that has another value than its default.
func (f *flags) alsoSet(names ...string) string {
	for _, name := range names {
		if fl := f.set.Lookup(name); fl.Value.String() != fl.DefValue {
			return name
		}
	}
	return ""
}

// spread makes what Go's flags read of what HTTPie's users write: -v -F of -vF, -a=x of -ax, the default
// of --verify of --no-verify, and seconds of a number after --timeout.
func (f *flags) spread(args []string) []string {
	var out []string
	for i, arg := range args {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--no-"), "=")
		fl := f.set.Lookup(name)
		switch {
		case arg == "--":
			return append(out, args[i:]...)
		case i > 0 && f.takesValue(args[i-1]):
			if strings.TrimLeft(args[i-1], "-") == "timeout" {
				arg = withUnit(arg)
			}
			out = append(out, arg)
		case strings.HasPrefix(arg, "--no-") && fl != nil && name == arg[len("--no-"):]:
			out = append(out, "--"+name+"="+fl.DefValue)
		case strings.HasPrefix(arg, "--timeout="):
			out = append(out, withUnit(arg))
		default:
			out = append(out, f.letters(arg)...)
		}
	}
	return out
}

// takesValue reports whether what follows arg is its value.
func (f *flags) takesValue(arg string) bool {
	name := strings.TrimLeft(arg, "-")
	fl := f.set.Lookup(name)
	if fl == nil && strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && len(name) > 1 {
		last := f.letters(arg) // of -dco the o does
		name = strings.TrimLeft(last[len(last)-1], "-")
		fl = f.set.Lookup(name)
	}
	return strings.HasPrefix(arg, "-") && fl != nil && !isSwitch(fl)
}

func isSwitch(fl *flag.Flag) bool {
	b, ok := fl.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// letters takes several flags of one letter apart; the last one may have its value behind it.
func (f *flags) letters(arg string) []string {
	text := strings.TrimPrefix(arg, "-")
	if text == arg || len(text) < 2 || text[0] == '-' || text[1] == '=' || f.set.Lookup(text) != nil {
		return []string{arg}
	}
	var out []string
	for i := range len(text) {
		fl := f.set.Lookup(text[i : i+1])
		switch {
		case fl == nil:
			return []string{arg}
		case !isSwitch(fl) && i+1 < len(text):
			return append(out, "-"+text[i:i+1]+"="+strings.TrimPrefix(text[i+1:], "="))
		}
		out = append(out, "-"+text[i:i+1])
	}
	return out
}

// withUnit takes a plain number for seconds, as HTTPie does.
func withUnit(value string) string {
	if value != "" && strings.Trim(value[strings.LastIndex(value, "=")+1:], "0123456789.") == "" {
		return value + "s"
	}
	return value
}

// check refuses what does not go together.
func (f *flags) check() error {
	switch {
	case f.help || f.version:
		return nil
	case !slices.Contains([]string{"", "all", "colors", "format", "none"}, f.pretty):
		return misuse("--pretty %s: expected all, colors, format or none", f.pretty)
	case !slices.Contains([]string{"basic", "digest", "bearer"}, f.authType):
		return misuse("--auth-type %s: expected basic, digest or bearer", f.authType)
	case !slices.Contains([]string{"", "bash", "zsh", "fish"}, f.completion):
		return misuse("--completion %s: expected bash, zsh or fish", f.completion)
	case strings.Trim(f.print, "HBhbm") != "":
		return misuse("--print %s: expected some of H, B, h, b and m", f.print)
	case f.form && f.json || f.multipart && f.json:
		return misuse("--json and a form do not go together")
	case f.boundary != "" && !f.multipart && !f.form:
		return misuse("--boundary goes with --multipart or --form")
	case f.resume && (!f.download || f.output == ""):
		return misuse("--continue goes with --download and --output")
	case f.session != "" && f.sessionReadOnly != "":
		return misuse("--session and --session-read-only do not go together")
	case f.timeout < 0:
		return misuse("--timeout %v: expected more than 0", f.timeout)
	case len(f.args) == 0 && f.fromCurl == "" && f.completion == "":
		return misuse("no URL: see requests --help")
	}
	return nil
}

// each calls visit with the flags that have a name, and their letter if they have one.
func (f *flags) each(visit func(fl *flag.Flag, letter string)) {
	letters := map[string]string{}
	for letter, name := range short {
		letters[name] = letter
	}
	f.set.VisitAll(func(fl *flag.Flag) {
		if len(fl.Name) > 1 {
			visit(fl, letters[fl.Name])
		}
	})
}

func (f *flags) usage(w io.Writer) error {
	text := "requests [flags] [METHOD] URL [ITEM…]\n\n" +
		"items: Header:value  name==value  name=value  name:=json  name@file  @file\n" +
		"       and from files: Header:@file  name==@file  name=@file  name:=@file\n\n"
	f.each(func(fl *flag.Flag, letter string) {
		argument, usage := flag.UnquoteUsage(fl)
		name := "--" + fl.Name
		if letter != "" {
			name = "-" + letter + ", " + name
		}
		text += fmt.Sprintf("  %-32s %s\n", strings.TrimRight(name+" "+argument, " "), usage)
	})
	_, err := io.WriteString(w, text+differs)
	return err
}

// differs is what a user of HTTPie should know.
const differs = `
--no-FLAG restores the default of a flag. What differs from HTTPie:
  the exit status is that of the response's class, unless --check-status=false
  name@file makes a multipart form without --form, too; without it HTTPie refuses
  an empty standard input is not a body
  nothing is sorted, headers nor JSON
  -h, -b and -m add up
  a download is saved in a file always, and one that would overwrite a file is refused, unless --output names it
  --session keeps to the origin it was begun with; a file that names none is refused
  --curl shows credentials, so that the command works; --har masks them
  there is no configuration file, no plugin, and none of HTTPie's other flags
`

// complete prints a completion of the flags.
func (f *flags) complete(w io.Writer) error {
	var names []string
	f.each(func(fl *flag.Flag, _ string) { names = append(names, "--"+fl.Name) })
	list := strings.Join(names, " ")
	text := map[string]string{
		"bash": "complete -o default -W '" + list + "' requests\n",
		"zsh":  "compdef '_arguments \"*:argument:(" + list + ")\" \"*:file:_files\"' requests\n",
		"fish": "",
	}[f.completion]
	if f.completion == "fish" {
		for _, name := range names {
			text += "complete -c requests -l " + strings.TrimPrefix(name, "--") + "\n"
		}
	}
	_, err := io.WriteString(w, text)
	return err
}

// parts is what the flags of one letter ask for, together.
func (f *flags) parts() (wants string) {
	for _, part := range []struct {
		asked bool
		wants string
	}{{f.verbose > 0, "HB"}, {f.headers || f.verbose > 0, "h"}, {f.body || f.verbose > 0, "b"}, {f.meta || f.verbose > 1, "m"}} {
		if part.asked {
			wants += part.wants
		}
	}
	return wants
}

// wants is what is printed.
func (f *flags) wants(terminal bool) string {
	switch {
	case f.parts() != "":
		return f.parts()
	case f.offline:
		return cmp.Or(f.print, "HB")
	case terminal:
		return cmp.Or(f.print, "hb")
	}
	return cmp.Or(f.print, "b")
}
