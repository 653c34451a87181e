package toolbelt

import "github.com/mountable/requests"

// HTTPBearerAuth sends "Authorization: Bearer token" with every request. It is
// [requests.BearerAuth] under the toolbelt's name.
func HTTPBearerAuth(token string) *requests.Bearer { return requests.BearerAuth(token) }
