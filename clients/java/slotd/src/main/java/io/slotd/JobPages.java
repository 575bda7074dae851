package io.slotd;

import io.slotd.v1.Job;
import io.slotd.v1.ListRequest;
import io.slotd.v1.ListResponse;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * The jobs of a List, over all its pages, each asked for when it is needed; each iteration asks
 * anew.
 */
public final class JobPages implements Iterable<Job> {
  private final ListRequest first;
  private final PageSource source;

  /** Gets one page. */
  @FunctionalInterface
  interface PageSource {
    ListResponse get(ListRequest request);
  }

  JobPages(ListRequest first, PageSource source) {
    this.first = first;
    this.source = source;
  }

  /** The jobs; {@code hasNext} and {@code next} throw {@link SlotdException}. */
  @Override
  public Iterator<Job> iterator() {
    return stream().iterator();
  }

  /** The jobs as a sequential, lazy {@link Stream}. */
  public Stream<Job> stream() {
    return StreamSupport.stream(pages().spliterator(), false)
        .flatMap(page -> page.getJobsList().stream());
  }

  /**
   * The pages as they come, with the cursor from which a stream misses nothing since the first one.
   */
  public Iterable<ListResponse> pages() {
    return () -> new Pages(first, source);
  }

  private static final class Pages implements Iterator<ListResponse> {
    private final PageSource source;
    private ListRequest following;

    Pages(ListRequest first, PageSource source) {
      this.following = first;
      this.source = source;
    }

    @Override
    public boolean hasNext() {
      return following != null;
    }

    @Override
    public ListResponse next() {
      if (following == null) {
        throw new NoSuchElementException("there are no more pages");
      }
      ListResponse page = source.get(following);
      String token = page.getNextPageToken();
      following = token.isEmpty() ? null : following.toBuilder().setPageToken(token).build();
      return page;
    }
  }
}
