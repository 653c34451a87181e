package parity

import (
	"bytes"
	"encoding/json"
	"strings"
)

func init() {
	requestKinds := []string{"prepare_body", "session_prepare", "session_flow", "next_request"}
	for _, kind := range requestKinds {
		normalisers[kind] = func(tree any) any { return eachObject(tree, normalRequest) }
		recordedForms[kind] = func(tree any) any { return eachObject(tree, bodyBytes) }
	}
	recordedForms["session_flow"] = func(tree any) any {
		return eachObject(tree, func(o map[string]any) {
			bodyBytes(o)
			delete(o, "message") // the wording is this library's own
		})
	}
	normalisers["apparent_encoding"] = func(tree any) any {
		return mapStrings(tree, func(s string) string { return strings.NewReplacer("_", "-").Replace(strings.ToLower(s)) })
	}
	normalisers["response_json"] = func(tree any) any { return eachObject(tree, normalJSON) }
	normalisers["urllib3_socks_options"] = func(tree any) any { return eachObject(tree, normalSOCKS) }
	normalisers["merge_setting"] = numbersAsText
	normalisers["response_links"] = func(tree any) any { return orderFree(map[string]any{"links": sortedLinks(tree)}) }
}

// numbersAsText writes numbers as the text a caller in Go would give.
func numbersAsText(tree any) any {
	return mapLeaves(tree, func(leaf any) any {
		if n, ok := leaf.(json.Number); ok {
			return n.String()
		}
		return leaf
	})
}

// sortedLinks sorts the members of each link.
func sortedLinks(tree any) any {
	links, _ := tree.([]any)
	for i, l := range links {
		if pair, ok := l.([]any); ok && len(pair) == 2 {
			sorted := orderFree(map[string]any{"links": pair[1]}).(map[string]any)
			links[i] = []any{pair[0], sorted["links"]}
		}
	}
	return links
}

// bodyBytes writes a recorded body as bytes: text goes out as UTF-8.
func bodyBytes(o map[string]any) {
	switch body := o["body"].(type) {
	case string:
		o["body"] = latin1([]byte(body))
	case map[string]any:
		if b, ok := b64Value(body); ok {
			o["body"] = latin1(b)
		}
	}
}

// normalRequest writes a JSON body in one spacing, and the values by which a product names itself as masks.
func normalRequest(o map[string]any) {
	pairs, ok := o["headers"].([]any)
	if !ok {
		return
	}
	isJSON := false
	for i, p := range pairs {
		pair := p.([]any)
		isJSON = isJSON || pair[1] == "application/json"
		pairs[i] = maskProduct(pair)
	}
	body, _ := o["body"].(string)
	if isJSON || strings.ContainsAny(body, "{[") && json.Valid([]byte(unlatin1(body))) {
		looseBody(o, canonicalJSON)
	}
}

func maskProduct(pair []any) []any {
	switch value := pair[1]; {
	case value == "python-requests/2.34.2", value == product.userAgent:
		return []any{pair[0], "${ua}"}
	case strings.EqualFold(pair[0].(string), "Accept-Encoding") && (value == "gzip, deflate" || value == product.acceptEncoding):
		return []any{pair[0], "${ae}"}
	}
	return pair
}

// canonicalJSON writes JSON text in one spacing and one way of writing characters and numbers.
func canonicalJSON(s string) string {
	var v any
	dec := json.NewDecoder(bytes.NewReader([]byte(unlatin1(s))))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return s
	}
	out, err := json.Marshal(normalNumbers(v))
	if err != nil {
		return s
	}
	return string(out)
}

// normalJSON turns JSON text into the tree it stands for.
func normalJSON(o map[string]any) {
	text, ok := o["json"].(string)
	if !ok {
		return
	}
	var v any
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if dec.Decode(&v) == nil && dec.InputOffset() == int64(len(text)) {
		o["json"] = normalNumbers(v)
	}
}

// normalSOCKS fills in the default port and writes the host as it is dialed.
func normalSOCKS(o map[string]any) {
	if o["proxy_port"] == nil {
		o["proxy_port"] = json.Number("1080")
	}
	editString(o, "proxy_host", func(host string) string { return strings.Trim(strings.ToLower(host), "[]") })
}
