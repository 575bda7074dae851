package io.slotd;

import io.slotd.v1.GetQueueRequest;
import io.slotd.v1.GetStatsRequest;
import io.slotd.v1.GetStatsResponse;
import io.slotd.v1.ListQueuesRequest;
import io.slotd.v1.ListQueuesResponse;
import io.slotd.v1.ListServersRequest;
import io.slotd.v1.ListSlotsRequest;
import io.slotd.v1.ListSlotsResponse;
import io.slotd.v1.Queue;
import io.slotd.v1.QueueServiceGrpc;
import io.slotd.v1.Server;
import io.slotd.v1.UpdateQueueRequest;
import io.slotd.v1.UpdateSlotsRequest;
import java.util.ArrayList;
import java.util.List;

/**
 * What a client can do about queues, slots, counters and servers. All of these throw {@link
 * SlotdException}.
 */
public final class Queues {
  private final Connection connection;
  private final CallSettings settings;

  Queues(Connection connection, CallSettings settings) {
    this.connection = connection;
    this.settings = settings;
  }

  /** A queue: its settings and counters. */
  public Queue get(String name) {
    GetQueueRequest request = GetQueueRequest.newBuilder().setName(name).build();
    return connection.call(QueueServiceGrpc.getGetQueueMethod(), request, settings).getQueue();
  }

  /** All queues by name. */
  public List<Queue> list() {
    List<Queue> queues = new ArrayList<>();
    String token = "";
    do {
      ListQueuesRequest request = ListQueuesRequest.newBuilder().setPageToken(token).build();
      ListQueuesResponse page =
          connection.call(QueueServiceGrpc.getListQueuesMethod(), request, settings);
      queues.addAll(page.getQueuesList());
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return queues;
  }

  /**
   * Changes the settings that the request's mask names, without one those that are set; makes the
   * queue if there is none. A setting that is named and not set goes back to its default.
   */
  public Queue update(UpdateQueueRequest request) {
    return connection.call(QueueServiceGrpc.getUpdateQueueMethod(), request, settings).getQueue();
  }

  /** The ledger of slots, all at one revision. */
  public ListSlotsResponse slots() {
    ListSlotsRequest request = ListSlotsRequest.getDefaultInstance();
    return connection.call(QueueServiceGrpc.getListSlotsMethod(), request, settings);
  }

  /** Resizes the server's pool, 0 pauses it; returns the size from now on. */
  public int updateSlots(int slots) {
    UpdateSlotsRequest request = UpdateSlotsRequest.newBuilder().setSlots(slots).build();
    return connection.call(QueueServiceGrpc.getUpdateSlotsMethod(), request, settings).getSlots();
  }

  /** The counters, all at one revision. */
  public GetStatsResponse stats() {
    GetStatsRequest request = GetStatsRequest.getDefaultInstance();
    return connection.call(QueueServiceGrpc.getGetStatsMethod(), request, settings);
  }

  /** The servers that share the store, longest there first. */
  public List<Server> servers() {
    ListServersRequest request = ListServersRequest.getDefaultInstance();
    return connection
        .call(QueueServiceGrpc.getListServersMethod(), request, settings)
        .getServersList();
  }
}
