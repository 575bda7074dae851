/**
 * A client for slotd, a job service that speaks gRPC.
 *
 * <p>{@link io.slotd.SlotdClient} is where to begin. Requests and answers are the messages of
 * {@code io.slotd.v1}.
 */
package io.slotd;
