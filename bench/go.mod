module github.com/mountable/requests/bench

go 1.26.0

replace github.com/mountable/requests => ../

require (
	github.com/carlmjohnson/requests v0.23.5
	github.com/go-resty/resty/v2 v2.17.2
	github.com/mountable/requests v0.0.0
	github.com/valyala/fasthttp v1.60.0
)

require (
	github.com/andybalholm/brotli v1.2.7 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	github.com/wlynxg/chardet v1.0.5 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	software.sslmate.com/src/go-pkcs12 v0.7.4 // indirect
)
