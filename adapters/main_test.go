package adapters_test

import (
	"io"
	"log"
	"testing"

	"github.com/mountable/requests/internal/wiretest"
)

func TestMain(m *testing.M) { wiretest.Main(m) }

// quiet is for servers whose handlers panic on purpose.
var quiet = log.New(io.Discard, "", 0)
