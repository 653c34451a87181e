package negotiate_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/keytab"

	"github.com/mountable/requests/internal/wiretest"
)

const realm = "EXAMPLE.TEST"

// kdc is MIT's key distribution center, with the user ada and the service HTTP/localhost.
type kdc struct {
	folder string
	config string
	stop   func()
}

// startKDC makes a realm in a folder of the test's own and starts its KDC.
func startKDC(t *testing.T) *kdc {
	t.Helper()
	for _, program := range []string{"krb5kdc", "kdb5_util", "kadmin.local"} {
		if findProgram(program) == "" {
			t.Skipf("needs %s: apt-get install krb5-kdc krb5-admin-server", program)
		}
	}
	k := &kdc{folder: t.TempDir()}
	port := freePort(t)
	k.config = fmt.Sprintf("[libdefaults]\n default_realm = %[1]s\n dns_lookup_kdc = false\n dns_lookup_realm = false\n dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n"+
		"[realms]\n %[1]s = {\n  kdc = 127.0.0.1:%[2]d\n }\n[domain_realm]\n localhost = %[1]s\n[logging]\n kdc = STDERR\n default = STDERR\n", realm, port)
	k.write(t, "krb5.conf", k.config)
	k.write(t, "kdc.conf", fmt.Sprintf("[kdcdefaults]\n kdc_listen = 127.0.0.1:%[2]d\n kdc_tcp_listen = 127.0.0.1:%[2]d\n[realms]\n %[1]s = {\n  database_name = %[3]s/principal\n  key_stash_file = %[3]s/stash\n  acl_file = %[3]s/acl\n  supported_enctypes = aes256-cts-hmac-sha1-96:normal\n }\n", realm, port, k.folder))
	k.run(t, "kdb5_util", "create", "-s", "-r", realm, "-P", "master")
	for _, query := range []string{"addprinc -pw secret ada", "addprinc -randkey HTTP/localhost", "ktadd -k " + k.folder + "/keytab HTTP/localhost"} {
		k.run(t, "kadmin.local", "-r", realm, "-q", query)
	}
	k.start(t)
	return k
}

func findProgram(name string) string {
	for _, folder := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin") {
		if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			return path
		}
	}
	return ""
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (k *kdc) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(k.folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (k *kdc) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(findProgram(name), args...)
	cmd.Env = append(os.Environ(), "KRB5_CONFIG="+k.folder+"/krb5.conf", "KRB5_KDC_PROFILE="+k.folder+"/kdc.conf")
	return cmd
}

func (k *kdc) run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := k.command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// start starts the KDC and waits until it says that it listens.
func (k *kdc) start(t *testing.T) {
	t.Helper()
	cmd := k.command("krb5kdc", "-n", "-r", realm, "-P", k.folder+"/pid")
	out, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	k.stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(k.stop)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "commencing operation") {
			go func() { // it must not wait for a reader
				for lines.Scan() {
				}
			}()
			return
		}
	}
	t.Fatal("krb5kdc does not start")
}

// client logs ada in.
func (k *kdc) client(t *testing.T) *client.Client {
	t.Helper()
	settings, err := config.NewFromString(k.config)
	if err != nil {
		t.Fatal(err)
	}
	cl := client.NewWithPassword("ada", realm, "secret", settings, client.DisablePAFXFAST(true))
	if err := cl.Login(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Destroy)
	return cl
}

// keytab is that of the service.
func (k *kdc) keytab(t *testing.T) *keytab.Keytab {
	t.Helper()
	kt, err := keytab.Load(filepath.Join(k.folder, "keytab"))
	if err != nil {
		t.Fatal(err)
	}
	return kt
}

func TestMain(m *testing.M) { wiretest.Main(m) }
