package negotiate

import (
	"encoding/base64"
	"errors"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/jcmturner/gokrb5/v8/types"
)

// proof is what a server has to send back to show that it could read a ticket: the time of the
// request, in the key that only the two have (RFC 4120 section 3.2.4).
type proof struct {
	service string
	key     types.EncryptionKey
	when    time.Time // to the second
	micro   int       // and the microseconds
}

var (
	errMalformed = errors.New("it is malformed")
	errAnother   = errors.New("it is the answer to another request")
)

// verify reads an answer in base64. It is foreign: a panic of the package that reads it is an error.
func (p *proof) verify(token string) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errMalformed
		}
	}()
	message, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return errMalformed
	}
	var answer spnego.KRB5Token
	if err := answer.Unmarshal(unwrapped(message)); err != nil || !answer.IsAPRep() {
		return errMalformed
	}
	plain, err := crypto.DecryptEncPart(answer.APRep.EncPart, p.key, keyusage.AP_REP_ENCPART)
	if err != nil {
		return errors.New("it is not in the key of the ticket")
	}
	var part messages.EncAPRepPart
	if err := part.Unmarshal(plain); err != nil {
		return errMalformed
	}
	if !part.CTime.Equal(p.when.Truncate(time.Second)) || part.Cusec != p.micro {
		return errAnother
	}
	return nil
}

// unwrapped takes an answer of Kerberos out of one of SPNEGO. Some servers send it bare.
func unwrapped(message []byte) []byte {
	var outer spnego.SPNEGOToken
	if err := outer.Unmarshal(message); err == nil && outer.Resp {
		return outer.NegTokenResp.ResponseToken
	}
	return message
}
