package hitl

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// judged is what every SDK makes of receipts.
type judged struct {
	Keys  map[string]KeySet
	Cases []struct {
		Name    string
		Receipt json.RawMessage
		Keys    string
		Says    *struct{ EventID, Namespace, State, Time string }
		Refused string
	}
	RefusedKeys []struct {
		Name    string
		Set     json.RawMessage
		Refused string
	}
}

func receipts(t *testing.T) (list judged) {
	t.Helper()
	text, err := os.ReadFile("../receipts.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil || len(list.Cases) == 0 || len(list.RefusedKeys) == 0 {
		t.Fatal(err)
	}
	return list
}

func refuses(t *testing.T, name string, err error, part string) {
	t.Helper()
	if !errors.Is(err, Invalid) || !strings.Contains(err.Error(), part) {
		t.Errorf("%s: %v does not say %q", name, err, part)
	}
}

func TestEveryReceiptIsJudgedAsInEveryOtherLanguage(t *testing.T) {
	list := receipts(t)
	for _, expected := range list.Cases {
		var receipt Receipt
		if err := json.Unmarshal(expected.Receipt, &receipt); err != nil {
			t.Fatal(expected.Name, err)
		}
		said, err := receipt.Verify(list.Keys[expected.Keys])
		if expected.Says == nil {
			refuses(t, expected.Name, err, expected.Refused)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", expected.Name, err)
			continue
		}
		of := expected.Says
		if said.EventID != of.EventID || said.Namespace != of.Namespace || said.State != of.State || said.Time != of.Time {
			t.Errorf("%s: it says %+v", expected.Name, said)
		}
		if !strings.Contains(string(said.JSON), `"value":{"int":"7"}`) {
			t.Errorf("%s: %s", expected.Name, said.JSON)
		}
	}
}

func TestKeysThatAreNotWhatTheySayAreRefused(t *testing.T) {
	for _, expected := range receipts(t).RefusedKeys {
		refuses(t, expected.Name, json.Unmarshal(expected.Set, new(KeySet)), expected.Refused)
	}
	many := fmt.Sprintf(`{"keys":[%s{}]}`, strings.Repeat(`{"kty":"RSA"},`, receiptKeysMax))
	refuses(t, "many", json.Unmarshal([]byte(many), new(KeySet)), "500")
}

func TestAReceiptAndItsKeysSurviveTheirJSON(t *testing.T) {
	list := receipts(t)
	var receipt, again, wrapped Receipt
	if err := json.Unmarshal(list.Cases[0].Receipt, &receipt); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(&receipt)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(json.Unmarshal(text, &again),
		json.Unmarshal(fmt.Appendf(nil, `{"receipt":%s}`, text), &wrapped)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again, receipt) || !reflect.DeepEqual(wrapped, receipt) {
		t.Fatal(string(text))
	}
	var keys KeySet
	if text, err = json.Marshal(list.Keys["both"]); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &keys); err != nil || !reflect.DeepEqual(keys, list.Keys["both"]) {
		t.Fatal(err, string(text))
	}
}

func TestWhatIsNoReceiptIsRefused(t *testing.T) {
	for _, junk := range []string{`[]`, `7`, `{}`, `{"receipt":{}}`, `{"text":7}`} {
		refuses(t, junk, json.Unmarshal([]byte(junk), new(Receipt)), "no receipt")
		refuses(t, junk, json.Unmarshal([]byte(junk), new(KeySet)), "JWK set")
	}
}

func TestAKeyOfAnotherLengthVerifiesNothing(t *testing.T) {
	receipt := Receipt{Text: "{}", Algorithm: receiptAlgorithm, KeyID: "short"}
	_, err := receipt.Verify(KeySet{"short": {1, 2, 3}})
	refuses(t, "short", err, "does not fit")
}
