package script

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mountable/requests/internal/wiretest"
)

func TestMain(m *testing.M) {
	testscript.Main(wiretest.Checked{M: m}, map[string]func(){"fetch": fetch})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireUniqueNames:  true,
		Setup:               setUp,
		Cmds:                commands,
		RequireExplicitExec: false,
	})
}

// serversKey finds a script's servers among its values.
type serversKey struct{}

// setUp gives a script an environment without a home, so that nothing of the machine's user is read.
func setUp(env *testscript.Env) error {
	env.Values[serversKey{}] = &servers{}
	env.Setenv("HOME", env.WorkDir+"/home")
	return nil
}

var commands = map[string]func(*testscript.TestScript, bool, []string){
	"serve":    serve,
	"proxy":    proxy,
	"received": received,
	"silent":   silent,
	"tls":      writeTLS,
}
