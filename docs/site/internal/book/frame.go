package book

import (
	"bytes"
	"embed"
	"html/template"
	"path"
	"strings"
)

//go:embed assets
var assetFiles embed.FS

// frameTemplate is what stands around every page: the navigation, the search box, the way on.
var frameTemplate = template.Must(template.ParseFS(assetFiles, "assets/page.html"))

// framed is what the template is given.
type framed struct {
	Title    string
	Root     string // the way to the folder of the site, "" or "../" and so on
	Source   string // the document in the repository
	Content  template.HTML
	Outline  []link
	Sections []menu
	Previous *link
	Next     *link
}

type link struct {
	Text, Href string
	Here       bool // it leads to the page that it is on
}

// menu is a section of the navigation, open if the page is in it.
type menu struct {
	Title string
	Open  bool
	Links []link
}

// longPage is how many sections a page has that begins with a list of them.
const longPage = 4

// frame is the ith page as it is served.
func (b *book) frame(i int, content template.HTML) ([]byte, error) {
	p := b.pages[i]
	f := framed{
		Title: p.title, Content: content, Root: strings.Repeat("../", strings.Count(p.target, "/")),
		Source: repository + "/blob/main/" + p.source, Sections: b.menus(p), Outline: p.contents(),
	}
	if i > 0 {
		f.Previous = p.linkTo(b.pages[i-1])
	}
	if i+1 < len(b.pages) {
		f.Next = p.linkTo(b.pages[i+1])
	}
	var out bytes.Buffer
	err := frameTemplate.Execute(&out, f)
	return out.Bytes(), err
}

// menus is the navigation as p has it.
func (b *book) menus(p *page) (menus []menu) {
	for _, s := range b.sections {
		m := menu{Title: s.title}
		for _, to := range s.pages {
			m.Open = m.Open || to == p
			m.Links = append(m.Links, *p.linkTo(to))
		}
		menus = append(menus, m)
	}
	return menus
}

func (p *page) linkTo(to *page) *link {
	return &link{Text: to.title, Href: relative(p.target, to.target), Here: to == p}
}

// contents are links to the sections of a long page.
func (p *page) contents() (links []link) {
	if len(p.outline) < longPage {
		return nil
	}
	for _, h := range p.outline {
		links = append(links, link{Text: plain(h, p.text), Href: "#" + anchorOf(h)})
	}
	return links
}

// assets are the files of the site that are the same whatever the documents say.
func assets() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range []string{"style.css", "search.js"} {
		content, err := assetFiles.ReadFile(path.Join("assets", name))
		if err != nil {
			return nil, err
		}
		files[name] = content
	}
	colors, err := codeColors()
	files["style.css"] = append(files["style.css"], colors...)
	return files, err
}
