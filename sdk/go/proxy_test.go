package hitl

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestEveryProxyIsTakenAsInEveryOtherLanguage(t *testing.T) {
	text, err := os.ReadFile("../endpoints.json")
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Proxies []struct{ Given, Used, Says string }
	}
	if err := json.Unmarshal(text, &list); err != nil || len(list.Proxies) == 0 {
		t.Fatalf("no proxies: %v", err)
	}
	for _, c := range list.Proxies {
		taken, err := Proxy(c.Given).resolve("")
		if err != nil {
			told := err.Error()
			if c.Used != "" || !errors.Is(err, Invalid) || !strings.HasPrefix(told, "proxy") ||
				strings.Contains(told, "secret") || strings.Contains(told, "3128") {
				t.Errorf("%q: %v", c.Given, err)
			}
			continue
		}
		if taken.String() != c.Used || taken.authorization != c.Says {
			t.Errorf("%q is taken as %v, %q", c.Given, taken, taken.authorization)
		}
	}
}

func TestNoPasswordOfAProxyIsPrinted(t *testing.T) {
	config := Config{Endpoint: "http://h:1", Proxy: "http://ada:secret@proxy:3128"}
	client, err := NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	proxy := client.settings.proxy
	asJSON, _ := json.Marshal(struct{ Proxy Proxy }{config.Proxy})
	printed := fmt.Sprintf("%v %+v %#v %s %v %#v %s", config, config, config, client, proxy, proxy, asJSON)
	if strings.Contains(printed, "secret") {
		t.Error(printed)
	}
}

func TestAProxyOfTheEnvironmentIsNotForServersOfThisMachine(t *testing.T) {
	code, _ := Proxy("http://proxy:1").resolve("http://other:1")
	environment, _ := Proxy("").resolve("http://proxy:1")
	var none *proxy
	here, away := endpoint{host: "localhost", port: "2"}, endpoint{isTLS: true, host: "hitl.example.org", port: "443"}
	for _, c := range []struct {
		proxy      *proxy
		here, away bool
	}{{code, true, true}, {environment, false, true}, {none, false, false}} {
		if c.proxy.isFor(here) != c.here || c.proxy.isFor(away) != c.away {
			t.Errorf("%v: %v, %v", c.proxy, c.proxy.isFor(here), c.proxy.isFor(away))
		}
	}
}
