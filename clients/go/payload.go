package slotd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

// Content types that a Payload may have; it may have any other too.
const (
	ContentTypeJSON     = "application/json"
	ContentTypeText     = "text/plain"
	ContentTypeBytes    = "application/octet-stream"
	ContentTypeProtobuf = "application/protobuf"
)

// Encode makes a payload of a value: a []byte is application/octet-stream, a proto.Message is
// `application/protobuf; type=FULL.NAME`, all else, text included, is application/json, as encoding/json writes it. A
// *slotdv1.Payload stays as it is, and nil is none at all.
//
// It fails where the value can't be written so.
func Encode(value any) (*slotdv1.Payload, error) {
	switch value := value.(type) {
	case nil:
		return nil, nil
	case *slotdv1.Payload:
		return value, nil
	case []byte:
		return &slotdv1.Payload{ContentType: ContentTypeBytes, Data: value}, nil
	case proto.Message:
		// Deterministic, so that a repeated request with the same id carries the same bytes.
		data, err := proto.MarshalOptions{Deterministic: true}.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("slotd: encode: %w", err)
		}
		contentType := fmt.Sprintf("%s; type=%s", ContentTypeProtobuf, value.ProtoReflect().Descriptor().FullName())
		return &slotdv1.Payload{ContentType: contentType, Data: data}, nil
	default:
		var data bytes.Buffer
		encoder := json.NewEncoder(&data)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			return nil, fmt.Errorf("slotd: encode: %w", err)
		}
		return &slotdv1.Payload{ContentType: ContentTypeJSON, Data: bytes.TrimSuffix(data.Bytes(), []byte("\n"))}, nil
	}
}

// Text makes a payload of text/plain.
func Text(text string) *slotdv1.Payload {
	return &slotdv1.Payload{ContentType: ContentTypeText, Data: []byte(text)}
}

// Decode stores what a payload holds in what target points to, by its type:
//
//   - a proto.Message takes protobuf and JSON,
//   - a *[]byte takes the bytes of any payload, as they are,
//   - a *string takes text, and JSON that is a string,
//   - an *any takes JSON as encoding/json gives it, text/plain as a string, and anything else as a []byte,
//   - all others take JSON.
//
// A payload that is nil or says nothing leaves it as it is. A job seen in the BASIC view has no data in its payload and
// result: get it in FULL first.
//
// It fails where the data are not what the content type says, or can't be put there.
func Decode(payload *slotdv1.Payload, target any) error {
	mediaType, parameters := parseContentType(payload.GetContentType())
	data := payload.GetData()
	if len(data) == 0 && !known(mediaType) {
		return nil
	}
	if err := decode(mediaType, parameters, data, target); err != nil {
		return fmt.Errorf("slotd: decode %q: %w", payload.GetContentType(), err)
	}
	return nil
}

func decode(mediaType string, parameters map[string]string, data []byte, target any) error {
	switch target := target.(type) {
	case proto.Message:
		return decodeMessage(mediaType, parameters, data, target)
	case *[]byte:
		*target = data
		return nil
	case *string:
		if strings.HasPrefix(mediaType, "text/") {
			return decodeText(parameters, data, func(text string) { *target = text })
		}
	case *any:
		switch mediaType {
		case ContentTypeJSON:
		case ContentTypeText:
			return decodeText(parameters, data, func(text string) { *target = text })
		default:
			*target = data
			return nil
		}
	}
	if mediaType != ContentTypeJSON {
		return fmt.Errorf("no way to put it in a %T", target)
	}
	return json.Unmarshal(data, target)
}

func decodeMessage(mediaType string, parameters map[string]string, data []byte, message proto.Message) error {
	wanted := string(message.ProtoReflect().Descriptor().FullName())
	switch {
	case isProtobuf(mediaType):
		if named := parameters["type"]; named != "" && named != wanted {
			return fmt.Errorf("wanted a %s", wanted)
		}
		return proto.Unmarshal(data, message)
	case mediaType == ContentTypeJSON:
		return protojson.Unmarshal(data, message)
	default:
		return fmt.Errorf("wanted a %s as %s or %s", wanted, ContentTypeProtobuf, ContentTypeJSON)
	}
}

func decodeText(parameters map[string]string, data []byte, store func(string)) error {
	switch strings.ToLower(parameters["charset"]) {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
	default:
		return errors.New("the only charset that can be read is utf-8: take the bytes")
	}
	if !utf8.Valid(data) {
		return errors.New("not UTF-8")
	}
	store(string(data))
	return nil
}

// parseContentType splits a content type; one that is malformed gives as much as can be read of it.
func parseContentType(contentType string) (string, map[string]string) {
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		before, _, _ := strings.Cut(contentType, ";")
		mediaType = strings.ToLower(strings.TrimSpace(before))
	}
	return mediaType, parameters
}

func isProtobuf(mediaType string) bool {
	return mediaType == ContentTypeProtobuf || mediaType == "application/x-protobuf"
}

// known says whether no bytes at all mean something in this type.
func known(mediaType string) bool {
	return isProtobuf(mediaType) ||
		mediaType == ContentTypeJSON || mediaType == ContentTypeText || mediaType == ContentTypeBytes
}
