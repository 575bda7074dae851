package main

import (
	"errors"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"

	"github.com/slotd/slotd/clients/go"
)

var (
	errCannot = &slotd.Error{Code: codes.Unimplemented, Reason: "DRIVER_CANNOT", Message: "this driver does not do that"}
	errLate   = &slotd.Error{Code: codes.DeadlineExceeded, Message: "the timeout is over"}
)

type description struct {
	Code          string            `json:"code"`
	Reason        string            `json:"reason"`
	Message       string            `json:"message"`
	Metadata      map[string]string `json:"metadata"`
	Violations    []violation       `json:"violations"`
	Preconditions []violation       `json:"preconditions"`
	Quotas        []violation       `json:"quotas"`
	Resource      *resource         `json:"resource"`
	RetrySeconds  *float64          `json:"retry_seconds"`
}

type violation struct {
	Field       string `json:"field,omitempty"`
	Type        string `json:"type,omitempty"`
	Subject     string `json:"subject,omitempty"`
	Description string `json:"description"`
}

type resource struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

// describe says what an error holds, as the scenario wants to see it.
func describe(err error) description {
	d := description{
		Code:          code.Code_UNKNOWN.String(),
		Reason:        "DRIVER_FAILED",
		Message:       err.Error(),
		Metadata:      map[string]string{},
		Violations:    []violation{},
		Preconditions: []violation{},
		Quotas:        []violation{},
	}
	var refused *slotd.Error
	if !errors.As(err, &refused) {
		return d
	}
	d.Code, d.Reason, d.Message = code.Code(refused.Code).String(), refused.Reason, refused.Message
	if refused.Metadata != nil {
		d.Metadata = refused.Metadata
	}
	for _, one := range refused.BadRequest.GetFieldViolations() {
		d.Violations = append(d.Violations, violation{Field: one.GetField(), Description: one.GetDescription()})
	}
	for _, one := range refused.PreconditionFailure.GetViolations() {
		d.Preconditions = append(d.Preconditions,
			violation{Type: one.GetType(), Subject: one.GetSubject(), Description: one.GetDescription()})
	}
	for _, one := range refused.QuotaFailure.GetViolations() {
		d.Quotas = append(d.Quotas, violation{Subject: one.GetSubject(), Description: one.GetDescription()})
	}
	if info := refused.ResourceInfo; info != nil {
		d.Resource = &resource{Type: info.GetResourceType(), Name: info.GetResourceName()}
	}
	if info := refused.RetryInfo; info != nil {
		seconds := info.GetRetryDelay().AsDuration().Seconds()
		d.RetrySeconds = &seconds
	}
	return d
}
