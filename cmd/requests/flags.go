package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// flags are what the command line says, but for the request's items.
type flags struct {
	set  *flag.FlagSet
	args []string // what is not a flag: method, URL, items

	form, multipart, ignoreStdin    bool
	raw                             string
	auth, authType                  string
	session, sessionReadOnly        string
	download, resume, follow        bool
	output, print, pretty           string
	headers, body, verbose, all     bool
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

// short are the letters of flags.
var short = map[string]string{
	"f": "form", "a": "auth", "A": "auth-type", "d": "download", "c": "continue", "F": "follow", "o": "output",
	"p": "print", "h": "headers", "b": "body", "v": "verbose", "I": "ignore-stdin",
}

func newFlags() *flags {
	f := &flags{set: flag.NewFlagSet("requests", flag.ContinueOnError)}
	s := f.set
	s.SetOutput(io.Discard)
	s.BoolVar(&f.form, "form", false, "the data items are a form; multipart if there is a file")
	s.BoolVar(&f.multipart, "multipart", false, "the data items are a multipart form")
	s.Bool("json", true, "the data items are JSON, which is the default")
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
	s.StringVar(&f.print, "print", "", "what is printed: `HBhb`, request head and body, response head and body")
	s.BoolVar(&f.headers, "headers", false, "--print h")
	s.BoolVar(&f.body, "body", false, "--print b")
	s.BoolVar(&f.verbose, "verbose", false, "--print HBhb")
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
			return nil, misuse("%s: see requests --help", strings.Replace(err.Error(), "flag provided but not defined: ", "unknown flag ", 1))
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

// spread makes -v -F of -vF, and seconds of a number after --timeout.
func (f *flags) spread(args []string) []string {
	var out []string
	for i, arg := range args {
		letters := strings.TrimLeft(arg, "-")
		isSwitch := func(r rune) bool {
			l := f.set.Lookup(string(r))
			if l == nil {
				return false
			}
			b, ok := l.Value.(interface{ IsBoolFlag() bool })
			return ok && b.IsBoolFlag()
		}
		switch {
		case len(letters) == len(arg)-1 && len(letters) > 1 && f.set.Lookup(letters) == nil && strings.IndexFunc(letters, func(r rune) bool { return !isSwitch(r) }) < 0:
			for _, letter := range letters {
				out = append(out, "-"+string(letter))
			}
		case i > 0 && args[i-1] == "--timeout" || strings.HasPrefix(arg, "--timeout="):
			out = append(out, withUnit(arg))
		default:
			out = append(out, arg)
		}
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
	case strings.Trim(f.print, "HBhb") != "":
		return misuse("--print %s: expected some of H, B, h and b", f.print)
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
		"items: Header:value  name==value  name=value  name:=json  name@file\n" +
		"       and from files: Header:@file  name==@file  name=@file  name:=@file\n\n"
	f.each(func(fl *flag.Flag, letter string) {
		argument, usage := flag.UnquoteUsage(fl)
		name := "--" + fl.Name
		if letter != "" {
			name = "-" + letter + ", " + name
		}
		text += fmt.Sprintf("  %-32s %s\n", strings.TrimRight(name+" "+argument, " "), usage)
	})
	_, err := io.WriteString(w, text)
	return err
}

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

// wants is what is printed.
func (f *flags) wants(terminal bool) string {
	switch {
	case f.verbose:
		return "HBhb"
	case f.headers && f.body:
		return "hb"
	case f.headers:
		return "h"
	case f.body:
		return "b"
	case f.offline:
		return cmp.Or(f.print, "HB")
	case terminal:
		return cmp.Or(f.print, "hb")
	}
	return cmp.Or(f.print, "b")
}
