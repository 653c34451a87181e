package uri

import "testing"

func BenchmarkParse(b *testing.B) {
	for name, s := range map[string]string{
		"plain": "http://api.example.com/users/7?page=2",
		"port":  "https://api.example.com:8443/users",
		"ipv4":  "http://127.0.0.1:8080/",
		"upper": "http://API.example.com/",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPrepare(b *testing.B) {
	for name, s := range map[string]string{
		"plain":   "http://api.example.com/users/7?page=2",
		"origin":  "http://api.example.com",
		"escaped": "http://api.example.com/a%20b?page=2#top",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Prepare(s, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRequestTarget(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		RequestTarget("http://api.example.com/users/7?page=2")
	}
}

func TestPlainURLAllocatesNothing(t *testing.T) {
	const s = "http://api.example.com:8080/users/7?page=2"
	if n := testing.AllocsPerRun(100, func() { Parse(s); Prepare(s, nil); RequestTarget(s) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
