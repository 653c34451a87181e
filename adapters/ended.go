package adapters

import (
	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wire"
)

// whenEnded calls end once, when the body of r has ended: read to its end, failed or
// closed. A body that is known to be empty has ended already, an upgraded connection when it is
// closed.
func whenEnded(r *requests.Response, end func()) {
	if r.Raw == nil {
		end()
		return
	}
	r.Raw = wire.OnEnd(r.Raw, func(error) { end() })
}
