package main

import (
	"context"
	"encoding/json"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	// Registered, so that echo_message finds them by name.
	_ "google.golang.org/protobuf/types/known/anypb"
	_ "google.golang.org/protobuf/types/known/durationpb"
	_ "google.golang.org/protobuf/types/known/emptypb"
	_ "google.golang.org/protobuf/types/known/fieldmaskpb"
	_ "google.golang.org/protobuf/types/known/structpb"
	_ "google.golang.org/protobuf/types/known/timestamppb"
	_ "google.golang.org/protobuf/types/known/wrapperspb"
)

// parsed fills a message from proto JSON; none leaves it empty.
func parsed[M proto.Message](data json.RawMessage, message M) (M, error) {
	if len(data) == 0 {
		return message, nil
	}
	return message, protojson.Unmarshal(data, message)
}

// printed is a message as proto JSON.
func printed(message proto.Message, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	data, err := protojson.Marshal(message)
	return json.RawMessage(data), err
}

// echoMessage takes a message through JSON, binary and back.
func echoMessage(_ context.Context, r *request) (any, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(r.Type))
	if err != nil {
		return nil, err
	}
	first, err := parsed(r.JSON, kind.New().Interface())
	if err != nil {
		return nil, err
	}
	binary, err := proto.MarshalOptions{Deterministic: true}.Marshal(first)
	if err != nil {
		return nil, err
	}
	second := kind.New().Interface()
	if err := proto.Unmarshal(binary, second); err != nil {
		return nil, err
	}
	again, err := printed(second, nil)
	return map[string]any{"json": again, "binary": binary}, err
}

func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second))
}
