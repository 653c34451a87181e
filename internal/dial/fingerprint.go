package dial

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
)

// CheckFingerprint compares the digest of a certificate's DER encoding with want: MD5,
// SHA-1 or SHA-256, told apart by the length (urllib3's assert_fingerprint).
func CheckFingerprint(der, want []byte) error {
	if len(der) == 0 {
		//lint:ignore ST1005 the text is urllib3's, which people search for
		return errors.New("No certificate for the peer.")
	}
	got := digest(der, len(want))
	if got == nil {
		//lint:ignore ST1005 the text is urllib3's, which people search for
		return fmt.Errorf("Fingerprint of invalid length: %x", want)
	}
	if subtle.ConstantTimeCompare(got, want) != 1 {
		//lint:ignore ST1005 the text is urllib3's, which people search for
		return fmt.Errorf("Fingerprints did not match. Expected %q, got %q", fmt.Sprintf("%x", want), fmt.Sprintf("%x", got))
	}
	return nil
}

func digest(der []byte, size int) []byte {
	switch size {
	case md5.Size:
		d := md5.Sum(der)
		return d[:]
	case sha1.Size:
		d := sha1.Sum(der)
		return d[:]
	case sha256.Size:
		d := sha256.Sum256(der)
		return d[:]
	}
	return nil
}
