package slotd_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/slotd/slotd/clients/go"
	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

func TestEncodeGoesByTheValue(t *testing.T) {
	for _, c := range []struct {
		value       any
		contentType string
		data        string
	}{
		{map[string]any{"a": "ü<b>"}, "application/json", `{"a":"ü<b>"}`},
		{"text", "application/json", `"text"`},
		{[]byte{0, 255}, "application/octet-stream", "\x00\xff"},
		{&durationpb.Duration{Seconds: 1}, "application/protobuf; type=google.protobuf.Duration", "\x08\x01"},
		{slotd.Text("hé"), "text/plain", "hé"},
	} {
		payload, err := slotd.Encode(c.value)
		if err != nil || payload.GetContentType() != c.contentType || string(payload.GetData()) != c.data {
			t.Errorf("%v: %v, %v", c.value, payload, err)
		}
	}
	if payload, err := slotd.Encode(nil); payload != nil || err != nil {
		t.Errorf("nil: %v, %v", payload, err)
	}
	if _, err := slotd.Encode(math.NaN()); err == nil {
		t.Error("NaN has a JSON form")
	}
}

func TestDecodeGoesByTheContentTypeAndTheTarget(t *testing.T) {
	duration, err := slotd.Encode(&durationpb.Duration{Seconds: 90})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		payload *slotdv1.Payload
		target  any
		wanted  any
	}{
		{typed("application/json", `{"a":[1]}`), new(any), map[string]any{"a": []any{1.0}}},
		{typed("application/json; charset=utf-8", `{"a":7}`), new(struct{ A int }), struct{ A int }{7}},
		{typed("application/json", `"x"`), new(string), "x"},
		{typed("application/json", `123456789012345678`), new(json.RawMessage), json.RawMessage("123456789012345678")},
		{typed("application/json", `"90s"`), new(durationpb.Duration), &durationpb.Duration{Seconds: 90}},
		{duration, new(durationpb.Duration), &durationpb.Duration{Seconds: 90}},
		{typed("text/plain", "hé"), new(any), "hé"},
		{typed("text/csv", "a,b"), new(string), "a,b"},
		{typed("image/png", "\x89P"), new(any), []byte("\x89P")},
		{typed("", "raw"), new([]byte), []byte("raw")},
		{typed("", ""), new(any), nil},
		{nil, new(string), ""},
	} {
		if err := slotd.Decode(c.payload, c.target); err != nil {
			t.Errorf("%v: %v", c.payload, err)
			continue
		}
		if message, is := c.target.(proto.Message); is {
			if !proto.Equal(message, c.wanted.(proto.Message)) {
				t.Errorf("%v: %v", c.payload, message)
			}
		} else if got := reflect.ValueOf(c.target).Elem().Interface(); !reflect.DeepEqual(got, c.wanted) {
			t.Errorf("%v: %#v", c.payload, got)
		}
	}
}

func TestDecodeRefusesWhatIsNotWhatItSays(t *testing.T) {
	for _, c := range []struct {
		payload *slotdv1.Payload
		target  any
	}{
		{typed("application/json", "{"), new(any)},
		{typed("application/json", ""), new(any)},
		{typed("text/plain", "\xff"), new(any)},
		{typed("text/plain; charset=utf-16", "a"), new(string)},
		{typed("application/octet-stream", "a"), new(struct{})},
		{typed("application/protobuf; type=slotd.v1.Job", ""), new(durationpb.Duration)},
		{typed("application/protobuf", "\xff"), new(durationpb.Duration)},
		{typed("text/plain", "1s"), new(durationpb.Duration)},
	} {
		if err := slotd.Decode(c.payload, c.target); err == nil {
			t.Errorf("%v is taken as a %T", c.payload, c.target)
		}
	}
}

func typed(contentType, data string) *slotdv1.Payload {
	return &slotdv1.Payload{ContentType: contentType, Data: []byte(data)}
}
