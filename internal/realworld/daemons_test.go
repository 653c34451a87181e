//go:build realworld

package realworld

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/mountable/requests/internal/wiretest"
)

// credentials that every proxy here asks for.
const user, password = "ada", "s3cret"

// pki is the test authority's files.
type pki struct{ ca, cert, key, clientCert, clientKey string }

func newPKI(t *testing.T, dir string) pki {
	ca := wiretest.TestCA()
	cert, key := wiretest.PEM(ca.Issue(wiretest.Leaf{Hosts: []string{"localhost", "127.0.0.1"}}))
	clientCert, clientKey := wiretest.PEM(ca.Client("ada"))
	return pki{
		ca: write(t, dir, "ca.pem", string(ca.PEM()), 0o644), cert: write(t, dir, "cert.pem", string(cert), 0o644),
		key: write(t, dir, "key.pem", string(key), 0o644), clientCert: write(t, dir, "client.pem", string(clientCert), 0o644),
		clientKey: write(t, dir, "client.key", string(clientKey), 0o644),
	}
}

// squid runs a squid with a plain and a TLS port that asks for Basic or Digest
// credentials, and returns its ports.
func squid(t *testing.T, scheme string, files pki) (plain, secure int) {
	dir := workDir(t)
	plain, secure = freePort(t), freePort(t)
	basic := "#!/bin/sh\nwhile read -r line; do\n  [ \"$line\" = '" + user + " " + password + "' ] && echo OK || echo ERR\ndone\n"
	sum := md5.Sum([]byte(user + ":squid:" + password))
	digest := "#!/bin/sh\nwhile read -r line; do\n  case \"$line\" in *'\"" + user + "\":\"squid\"'*) echo 'OK ha1=\"" + hex.EncodeToString(sum[:]) + "\"';; *) echo ERR;; esac\ndone\n"
	helper := write(t, dir, "auth", map[string]string{"basic": basic, "digest": digest}[scheme], 0o755)
	config := fmt.Sprintf(`
http_port %s
https_port %s tls-cert=%s tls-key=%s
auth_param %s program %s
auth_param %s realm squid
auth_param %s children 2 startup=1
acl users proxy_auth REQUIRED
http_access allow users
http_access deny all
cache deny all
cache_log %s/cache.log
access_log none
pid_filename %s/squid.pid
coredump_dir %s
shutdown_lifetime 0 seconds
netdb_filename none
`, local(plain), local(secure), files.cert, files.key, scheme, helper, scheme, scheme, dir, dir, dir)
	start(t, []int{plain, secure}, "squid", "-N", "-f", write(t, dir, "squid.conf", config, 0o644))
	return plain, secure
}

func tinyproxy(t *testing.T) int {
	dir, port := workDir(t), freePort(t)
	config := fmt.Sprintf("Port %d\nListen 127.0.0.1\nTimeout 30\nBasicAuth %s %s\nLogLevel Error\nMaxClients 50\n", port, user, password)
	start(t, []int{port}, "tinyproxy", "-d", "-c", write(t, dir, "tinyproxy.conf", config, 0o644))
	return port
}

func microsocks(t *testing.T) int {
	port := freePort(t)
	start(t, []int{port}, "microsocks", "-i", "127.0.0.1", "-p", fmt.Sprint(port), "-u", user, "-P", password)
	return port
}

// nginxPorts are the doors of one nginx in front of the same backend.
type nginxPorts struct {
	http, tls12, tls13, client, h2 int
	idle, idleTLS, idleH2          int // give up on a connection early
}

// hasty has nginx close idle connections, and all after a few requests.
const hasty = "keepalive_timeout 200ms; keepalive_requests 5;"

func nginx(t *testing.T, backend string, files pki) nginxPorts {
	dir := workDir(t)
	var p nginxPorts
	var listening []int
	for _, port := range []*int{&p.http, &p.tls12, &p.tls13, &p.client, &p.h2, &p.idle, &p.idleTLS, &p.idleH2} {
		*port = freePort(t)
		listening = append(listening, *port)
	}
	server := func(listen, extra string) string { return nginxServer(listen, extra, backend, files) }
	config := fmt.Sprintf(`
daemon off; error_log stderr warn; pid %[1]s/nginx.pid; worker_processes 1;
events { worker_connections 200; }
http {
  access_log off; client_max_body_size 0;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
%[2]s
}
`, dir, strings.Join([]string{
		server(fmt.Sprint(p.http), ""),
		server(fmt.Sprint(p.tls12, " ssl"), "ssl_protocols TLSv1.2;"),
		server(fmt.Sprint(p.tls13, " ssl"), "ssl_protocols TLSv1.3;"),
		server(fmt.Sprint(p.client, " ssl"), "ssl_verify_client on; ssl_protocols TLSv1.2 TLSv1.3;"),
		server(fmt.Sprint(p.h2, " ssl http2"), ""),
		server(fmt.Sprint(p.idle), hasty),
		server(fmt.Sprint(p.idleTLS, " ssl"), hasty),
		server(fmt.Sprint(p.idleH2, " ssl http2"), hasty),
	}, ""))
	start(t, listening, "nginx", "-p", dir, "-c", write(t, dir, "nginx.conf", config, 0o644))
	return p
}

// nginxServer is one server block: / is passed on as it comes, /gzip/ is compressed,
// and /limited/ takes no more than a kilobyte.
func nginxServer(listen, extra, backend string, files pki) string {
	return fmt.Sprintf(`
  server {
    listen 127.0.0.1:%[1]s;
    ssl_certificate %[2]s; ssl_certificate_key %[3]s; ssl_client_certificate %[4]s; %[5]s
    proxy_http_version 1.1;
    location / {
      proxy_pass http://%[6]s; proxy_set_header Host $http_host; proxy_buffering off;
      proxy_set_header X-Protocol "$server_protocol $ssl_protocol $ssl_client_s_dn"; proxy_request_buffering off;
    }
    location /gzip/ { proxy_pass http://%[6]s; gzip on; gzip_min_length 1; gzip_types text/plain; }
    location /limited/ { proxy_pass http://%[6]s; client_max_body_size 1k; }
  }`, listen, files.cert, files.key, files.ca, extra, backend)
}
