package multipart

import (
	"path"
	"strings"
	"sync"
)

// GuessContentType returns the media type which a file name's extension stands for, "application/octet-stream" if none. It
// reads names as Python's mimetypes does: a data: URL says its type itself, the scheme of another URL is not part of the
// name, extensions ignore case, compression (.gz .Z .bz2 .xz .br, case-sensitive) is looked through, and a
// name that is only an extension (".txt") has none. urllib3's own form encoder uses it; Requests never does.
func GuessContentType(filename string) string {
	const unknown = "application/octet-stream"
	scheme, name := splitScheme(filename)
	if scheme == "data" {
		return dataType(name, unknown)
	}
	base, ext := splitExt(name)
	for {
		long, ok := shorthands[strings.ToLower(ext)]
		if !ok {
			break
		}
		base, ext = splitExt(base + long)
	}
	switch ext {
	case ".gz", ".Z", ".bz2", ".xz", ".br":
		_, ext = splitExt(base)
	}
	if t, ok := typesByExtension()[strings.ToLower(ext)]; ok {
		return t
	}
	return unknown
}

var shorthands = map[string]string{
	".svgz": ".svg.gz", ".tgz": ".tar.gz", ".taz": ".tar.gz", ".tz": ".tar.gz", ".tbz2": ".tar.bz2", ".txz": ".tar.xz",
}

// splitScheme cuts "scheme:" off, if there is one before the first slash.
func splitScheme(s string) (scheme, rest string) {
	if i := strings.IndexAny(s, ":/"); i > 0 && s[i] == ':' {
		return strings.ToLower(s[:i]), s[i+1:]
	}
	return "", s
}

// dataType returns the media type of a data: URL without its scheme (RFC 2397).
func dataType(url, unknown string) string {
	mediatype, _, ok := strings.Cut(url, ",")
	if !ok {
		return unknown
	}
	mediatype, _, _ = strings.Cut(mediatype, ";")
	if strings.Contains(mediatype, "=") || !strings.Contains(mediatype, "/") {
		return "text/plain"
	}
	return mediatype
}

// splitExt is path.Ext, but dots in front of the last element do not start an extension.
func splitExt(name string) (base, ext string) {
	_, file := path.Split(name)
	ext = path.Ext(strings.TrimLeft(file, "."))
	return strings.TrimSuffix(name, ext), ext
}

var typesByExtension = sync.OnceValue(func() map[string]string {
	types := make(map[string]string)
	for line := range strings.Lines(mediaTypes) {
		words := strings.Fields(line)
		for _, ext := range words[1:] {
			types["."+ext] = words[0]
		}
	}
	return types
})

// mediaTypes lists the extensions Python knows without help, and other common ones, with the types that the public-domain
// table of Debian's media-types package gives them, for that is what the reference was recorded with.
const mediaTypes = `application/ODA oda
application/atom+xml atom
application/cbor cbor
application/epub+zip epub
application/geo+json geojson
application/hyperstudio stk
application/java-archive jar
application/json json
application/ld+json jsonld
application/manifest+json webmanifest
application/msaccess mdb
application/msword doc wiz
application/n-quads nq
application/n-triples nt
application/octet-stream bin so
application/onenote one
application/oxps oxps
application/pdf pdf
application/pem-certificate-chain pem
application/pgp-encrypted pgp
application/pgp-keys asc key
application/pgp-signature sig
application/pkcs12 p12 pfx
application/pkcs7-mime p7c
application/pkcs7-signature p7s
application/pkix-cert cer
application/pkix-crl crl
application/postscript ai eps ps
application/rdf+xml rdf
application/rls-services+xml rs
application/rtf rtf
application/sql sql
application/trig trig
application/vnd.adobe.flash.movie swf
application/vnd.android.package-archive apk
application/vnd.apache.arrow.file arrow
application/vnd.apple.mpegurl m3u8
application/vnd.coffeescript coffee
application/vnd.dbf dbf
application/vnd.debian.binary-package deb
application/vnd.exstream-package pub
application/vnd.google-earth.kml+xml kml
application/vnd.google-earth.kmz kmz
application/vnd.mif mif
application/vnd.mozilla.xul+xml xul
application/vnd.ms-cab-compressed cab
application/vnd.ms-excel xlb xls
application/vnd.ms-excel.sheet.macroEnabled.12 xlsm
application/vnd.ms-fontobject eot
application/vnd.ms-powerpoint ppa pps ppt pwz
application/vnd.ms-powerpoint.presentation.macroEnabled.12 pptm
application/vnd.ms-word.document.macroEnabled.12 docm
application/vnd.ms-xpsdocument xps
application/vnd.oasis.opendocument.graphics odg
application/vnd.oasis.opendocument.presentation odp
application/vnd.oasis.opendocument.spreadsheet ods
application/vnd.oasis.opendocument.text odt
application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
application/vnd.openxmlformats-officedocument.presentationml.slideshow ppsx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
application/vnd.rar rar
application/vnd.sqlite3 sqlite3
application/vnd.tcpdump.pcap cap pcap
application/vnd.visio vsd
application/vnd.wolfram.mathematica.package m
application/wasm wasm
application/wsdl+xml wsdl
application/x-7z-compressed 7z
application/x-apple-diskimage dmg
application/x-bcpio bcpio
application/x-bittorrent torrent
application/x-cdf cdf
application/x-cpio cpio
application/x-doom wad
application/x-dvi dvi
application/x-font pfb
application/x-freemind mm
application/x-gtar gtar
application/x-hdf hdf
application/x-hdf5 h5
application/x-iso9660-image iso
application/x-latex latex
application/x-msdos-program bat com dll exe
application/x-msi msi
application/x-netcdf nc
application/x-object o
application/x-python-code pyc pyo
application/x-qgis shp
application/x-redhat-package-manager rpm
application/x-rss+xml rss
application/x-ruby rb
application/x-shar shar
application/x-sv4cpio sv4cpio
application/x-sv4crc sv4crc
application/x-tar tar
application/x-texinfo texi texinfo
application/x-trash bak old
application/x-troff-man man
application/x-troff-me me
application/x-troff-ms ms
application/x-ustar ustar
application/x-wais-source src
application/x-x509-ca-cert crt
application/xhtml+xml xht xhtml
application/xml xml xpdl
application/xml-dtd dtd
application/xslt+xml xsl xslt
application/xspf+xml xspf
application/zip zip
application/zstd zst
audio/3gpp 3gp 3gpp
audio/3gpp2 3g2 3gpp2
audio/AMR amr
audio/aac aac adts ass
audio/ac3 ac3
audio/basic au snd
audio/flac flac
audio/mp4 m4a
audio/mpeg mp2 mp3 mpga
audio/mpegurl m3u
audio/ogg oga ogg opus
audio/sp-midi mid
audio/usac loas
audio/vnd.dts dts
audio/x-aiff aif aifc aiff
audio/x-ms-wma wma
audio/x-pn-realaudio ra ram
audio/x-scpls pls
audio/x-wav wav
font/collection ttc
font/otf otf
font/ttf ttf
font/woff woff
font/woff2 woff2
image/avif avif
image/bmp bmp
image/emf emf
image/fits fits
image/gif gif
image/heic heic
image/heif heif
image/ief ief
image/jp2 jp2
image/jpeg jfif jpe jpeg jpg
image/jpx jpf
image/jxl jxl
image/png png
image/svg+xml svg svgz
image/tiff tif tiff
image/vnd.adobe.photoshop psd
image/vnd.djvu djv djvu
image/vnd.dwg dwg
image/vnd.dxf dxf
image/vnd.microsoft.icon ico
image/vnd.zbrush.pcx pcx
image/webp webp
image/wmf wmf
image/x-canon-cr2 cr2
image/x-cmu-raster ras
image/x-nikon-nef nef
image/x-olympus-orf orf
image/x-portable-anymap pnm
image/x-portable-bitmap pbm
image/x-portable-graymap pgm
image/x-portable-pixmap ppm
image/x-rgb rgb
image/x-xbitmap xbm
image/x-xpixmap xpm
image/x-xwindowdump xwd
message/rfc822 eml mht mhtml nws
model/gltf+json gltf
model/gltf-binary glb
model/iges igs
model/obj obj
model/step step stp
model/stl stl
text/SGML sgm sgml
text/cache-manifest appcache manifest
text/calendar ics
text/css css
text/csv csv
text/html htm html
text/javascript js mjs
text/markdown md
text/n3 n3
text/plain ksh pot srt text txt
text/richtext rtx
text/tab-separated-values tsv
text/troff roff t tr
text/turtle ttl
text/vcard vcard vcf
text/vnd.a a
text/vnd.graphviz dot
text/vnd.trolltech.linguist ts
text/vtt vtt
text/x-bibtex bib
text/x-c++hdr hh hpp
text/x-c++src c++ cc cpp cxx
text/x-chdr h
text/x-csh csh
text/x-csrc c
text/x-diff diff patch
text/x-dsrc d
text/x-haskell hs
text/x-java java
text/x-pascal p pas
text/x-perl pl pm
text/x-python py
text/x-scala scala
text/x-setext etx
text/x-sh sh
text/x-tcl tcl
text/x-tex cls ltx sty tex
text/x-vcalendar vcs
video/mp4 m4v mp4 mpg4
video/mpeg m1v mpa mpe mpeg mpg
video/ogg ogv
video/quicktime mov qt
video/webm webm
video/x-flv flv
video/x-matroska mkv
video/x-ms-wmv wmv
video/x-ms-wmx wmx
video/x-msvideo avi
video/x-sgi-movie movie
`
