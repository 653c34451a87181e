package requests_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/mountable/requests"
)

// TestClone: every setting is in the copy, lists and cookies can be changed apart, and adapters
// are the same.
func TestClone(t *testing.T) {
	s := requests.NewSession()
	defer s.Close()
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		fill(t, v.Type().Field(i), v.Field(i))
	}
	s.Mount("http://a.test/", requests.AdapterFunc(nil))
	c := s.Clone()
	copied := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || f.Name == "Cookies" {
			continue
		}
		if f.Type.Kind() == reflect.Func || f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Func {
			if copied.Field(i).IsNil() {
				t.Errorf("%s is not copied", f.Name)
			}
			continue
		}
		if !reflect.DeepEqual(v.Field(i).Interface(), copied.Field(i).Interface()) {
			t.Errorf("%s is not copied", f.Name)
		}
		if kind := f.Type.Kind(); (kind == reflect.Map || kind == reflect.Slice) && v.Field(i).Pointer() == copied.Field(i).Pointer() {
			t.Errorf("%s is shared", f.Name)
		}
	}
	_ = s.Cookies.Set(requests.Cookie{Name: "a", Value: "1", Domain: "h.test"})
	c.Headers.Set("X-A", "changed")
	c.Params[0][1] = "changed"
	c.Proxies["all"] = "changed"
	if s.Headers.Get("X-A") == "changed" || s.Params[0][1] == "changed" || s.Proxies["all"] == "changed" || c.Cookies == s.Cookies || c.Cookies.Len() != 0 {
		t.Error("the copy shares what it should not")
	}
	for _, url := range []string{"http://a.test/x", "https://h.test/"} {
		before, _ := s.Adapter(url)
		after, err := c.Adapter(url)
		if err != nil || reflect.ValueOf(before).Pointer() != reflect.ValueOf(after).Pointer() {
			t.Errorf("%s: %v, %v", url, after, err)
		}
	}
	if (&requests.Session{}).Clone().Cookies != nil {
		t.Error("a jar came from nowhere")
	}
}

// fill gives an exported field a value that is not zero.
func fill(t *testing.T, f reflect.StructField, v reflect.Value) {
	if !f.IsExported() || !v.IsZero() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("https://h.test/")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Func:
		v.Set(reflect.MakeFunc(v.Type(), nil))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		if v.Index(0).Kind() == reflect.Func {
			v.Index(0).Set(reflect.MakeFunc(v.Type().Elem(), nil))
		}
	case reflect.Struct:
		fillStruct(t, f, v)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Interface:
		if strings.HasSuffix(f.Type.String(), "Auth") {
			v.Set(reflect.ValueOf(requests.BasicAuth("a", "b")))
		}
	}
}

func fillStruct(t *testing.T, f reflect.StructField, v reflect.Value) {
	switch v.Interface().(type) {
	case requests.Verification:
		v.Set(reflect.ValueOf(requests.Verify(false)))
	case requests.Certificate:
		v.Set(reflect.ValueOf(requests.NoCert))
	default:
		for i := range v.NumField() {
			fill(t, v.Type().Field(i), v.Field(i))
		}
	}
}
