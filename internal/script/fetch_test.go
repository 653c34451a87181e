package script

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mountable/requests"
)

// client is a fetch command: flags that map onto fields of a Session, options of a request, or files.
type client struct {
	session *requests.Session
	options []requests.Option
	method  string
	proxies requests.Proxies
	resolve map[string]string
	form    requests.Form
	files   requests.Files
	load    string
	save    string
	cookies requests.CookieFileOption
	output  string
	key     string
	cert    string
	pass    string
	heads   bool
	explain bool
}

// fetch sends one request for each URL, all in one session, and prints status and body. An error goes to the standard
// error with its Kind in front, and makes the exit status 1.
func fetch() {
	c := &client{session: newSession(), proxies: requests.Proxies{}, resolve: map[string]string{}}
	urls := c.parse(os.Args[1:])
	err := c.prepare()
	for _, url := range urls {
		if err == nil {
			err = c.visit(url)
		}
	}
	if err == nil && c.save != "" {
		err = c.session.Cookies.Save(c.save, c.cookies)
	}
	c.session.Close()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s\n", describe(err))
		os.Exit(1)
	}
}

// newSession has a limit, so that no script hangs.
func newSession() *requests.Session {
	s := requests.NewSession()
	s.Timeouts.Total = 20 * time.Second
	return s
}

func describe(err error) string {
	if e, ok := errors.AsType[*requests.Error](err); ok {
		return e.Kind.Error() + ": " + err.Error()
	}
	return err.Error()
}

func (c *client) parse(args []string) (urls []string) {
	f := flag.NewFlagSet("fetch", flag.ExitOnError)
	f.StringVar(&c.method, "X", "GET", "method")
	f.StringVar(&c.output, "o", "", "stream the body into this file")
	f.StringVar(&c.load, "load", "", "cookie file to load")
	f.StringVar(&c.save, "save", "", "cookie file to save")
	f.StringVar(&c.cert, "cert", "", "client certificate")
	f.StringVar(&c.key, "key", "", "its key")
	f.StringVar(&c.pass, "password", "", "of the key")
	f.BoolVar(&c.heads, "i", false, "print the headers")
	f.BoolVar(&c.explain, "explain", false, "print which proxy would be used, and send nothing")
	c.options1(f)
	c.options2(f)
	f.Parse(args)
	return f.Args()
}

// option makes a flag of an option.
func (c *client) option(f *flag.FlagSet, name, usage string, make func(value string) (requests.Option, error)) {
	f.Func(name, usage, func(value string) error {
		o, err := make(value)
		c.options = append(c.options, o)
		return err
	})
}

// options1 are the flags about what is sent.
func (c *client) options1(f *flag.FlagSet) {
	c.option(f, "H", "header", func(v string) (requests.Option, error) {
		name, value, _ := strings.Cut(v, ": ")
		return requests.OptionFunc(func(r *requests.Request) error { r.Headers.Add(name, value); return nil }), nil
	})
	c.option(f, "without", "header left out", func(v string) (requests.Option, error) { return requests.WithoutHeader(v), nil })
	c.option(f, "d", "body", func(v string) (requests.Option, error) { return requests.Body(v), nil })
	c.option(f, "json", "body", func(v string) (requests.Option, error) { return requests.JSON(json.RawMessage(v)), nil })
	c.option(f, "T", "file to upload", func(v string) (requests.Option, error) {
		file, err := os.Open(v)
		return requests.Body(file), err
	})
	c.option(f, "chunked", "file to upload without telling its length", func(v string) (requests.Option, error) {
		file, err := os.Open(v)
		return requests.Body(io.MultiReader(file)), err
	})
	c.option(f, "u", "user:password", func(v string) (requests.Option, error) {
		user, password, _ := strings.Cut(v, ":")
		return requests.Authenticate(requests.BasicAuth(user, password)), nil
	})
	c.option(f, "b", "name=value", func(v string) (requests.Option, error) {
		name, value, _ := strings.Cut(v, "=")
		return requests.Cookies{{name, value}}, nil
	})
	f.Func("form", "name=value", func(v string) error {
		name, value, _ := strings.Cut(v, "=")
		c.form = append(c.form, [2]string{name, value})
		return nil
	})
	f.Func("F", "field=file", func(v string) error {
		field, path, _ := strings.Cut(v, "=")
		file, err := os.Open(path)
		c.files = append(c.files, requests.File{Field: field, Content: file})
		return err
	})
}

// options2 are the flags about how and where to.
func (c *client) options2(f *flag.FlagSet) {
	c.option(f, "verify", "on or off", func(v string) (requests.Option, error) { return requests.Verify(v == "on"), nil })
	c.option(f, "cacert", "file or directory", func(v string) (requests.Option, error) { return requests.CABundle(v), nil })
	c.option(f, "timeout", "duration", func(v string) (requests.Option, error) {
		d, err := time.ParseDuration(v)
		return requests.Timeout(d), err
	})
	f.Func("x", "key=proxy", func(v string) error {
		key, proxy, _ := strings.Cut(v, "=")
		c.proxies[key] = proxy
		return nil
	})
	f.Func("session-x", "key=proxy", func(v string) error {
		key, proxy, _ := strings.Cut(v, "=")
		c.session.Proxies = requests.Proxies{key: proxy}
		return nil
	})
	f.Func("resolve", "host=address", func(v string) error {
		host, address, _ := strings.Cut(v, "=")
		c.resolve[host] = address
		return nil
	})
	f.BoolFunc("no-env", "TrustEnv off", func(string) error { c.session.TrustEnv = false; return nil })
	f.BoolFunc("as-json", "save cookies as JSON", func(string) error { c.cookies |= requests.AsJSON; return nil })
	f.BoolFunc("all", "session cookies and expired ones as well", func(string) error {
		c.cookies |= requests.KeepSessionCookies | requests.KeepExpired
		return nil
	})
	f.Func("policy", "like-requests, netrc-default, netrc-redirect or allow-downgrade", c.policy)
}

func (c *client) policy(name string) error {
	switch p := &c.session.Policy; name {
	case "like-requests":
		*p = requests.PolicyRequests()
	case "netrc-default":
		p.NetrcDefault = true
	case "netrc-redirect":
		p.NetrcOnRedirect = true
	case "allow-downgrade":
		p.AllowDowngrade = true
	default:
		return fmt.Errorf("there is no policy %q", name)
	}
	return nil
}

// prepare puts together what several flags make up.
func (c *client) prepare() error {
	for _, prefix := range []string{"http://", "https://"} {
		c.session.Mount(prefix, requests.NewHTTPAdapter(requests.ResolveTo(c.resolve)))
	}
	c.add(len(c.proxies) > 0, c.proxies)
	c.add(c.form != nil, c.form)
	c.add(c.files != nil, c.files)
	c.add(c.cert != "" && c.key == "", requests.CertFile(c.cert).WithPassword(c.pass))
	c.add(c.key != "", requests.CertFiles(c.cert, c.key).WithPassword(c.pass))
	c.add(c.output != "", requests.Stream(true))
	if c.load != "" {
		return c.session.Cookies.Load(c.load, c.cookies)
	}
	return nil
}

func (c *client) add(given bool, o requests.Option) {
	if given {
		c.options = append(c.options, o)
	}
}

func (c *client) visit(url string) error {
	if c.explain {
		d, err := c.session.ExplainProxy(url, c.options...)
		if err == nil {
			fmt.Println(d)
		}
		return err
	}
	r, err := c.session.Request(context.Background(), c.method, url, c.options...)
	if err != nil {
		return err
	}
	defer r.Close()
	fmt.Println(r.StatusCode, r.Reason)
	if c.heads {
		for name, value := range r.Headers.All() {
			fmt.Printf("%s: %s\n", name, value)
		}
	}
	if c.output != "" {
		return download(r, c.output)
	}
	text, err := r.Text()
	fmt.Println(text)
	return err
}

func download(r *requests.Response, name string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(file, r)
	return err
}
