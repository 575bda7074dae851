#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "slotd/v1/job_service.pb.h"

/// Readers hand out one thing at a time: by `Next`, which waits for it and answers nothing at the end, or in a
/// range-for. One thread reads; `Close` alone may be called by any other. What `Next` throws is a slotd::Error, and the
/// reader is closed then.
namespace slotd {

/// Makes a range-for of a reader's `Next`; it can be gone through once.
template <class Reader, class Item>
class ItemIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = Item;
  using difference_type = std::ptrdiff_t;
  using pointer = const Item*;
  using reference = const Item&;

  /// The end.
  ItemIterator() = default;
  /// Reads the first item.
  explicit ItemIterator(Reader* reader) : reader_(reader) { ++*this; }

  reference operator*() const { return *item_; }
  pointer operator->() const { return &*item_; }
  ItemIterator& operator++() {
    item_ = reader_->Next();
    return *this;
  }
  void operator++(int) { ++*this; }

  bool operator==(const ItemIterator& other) const { return item_.has_value() == other.item_.has_value(); }
  bool operator!=(const ItemIterator& other) const { return !(*this == other); }

 private:
  Reader* reader_ = nullptr;
  std::optional<Item> item_;
};

/// What happens to jobs, event by event; it outlives reconnects and restarts of the service.
///
/// The call begins with the first `Next`. It ends by itself only when it was asked for by job ids and all of those are
/// terminal or deleted, or when it is closed.
///
/// Until the first cursor has come, so within the first snapshot, a cut means that the snapshot is taken again: jobs
/// that did not change since are not handed out twice, and `vanished` names those that are gone since.
class EventReader {
 public:
  using Iterator = ItemIterator<EventReader, v1::JobEvent>;
  class Impl;

  explicit EventReader(std::unique_ptr<Impl> impl);
  EventReader(EventReader&&) noexcept;
  EventReader& operator=(EventReader&&) noexcept;
  ~EventReader();

  /// Waits for the next event. An error with reason CURSOR_EXPIRED means that what comes after the cursor is no longer
  /// kept: list the jobs, then stream from that list's cursor.
  std::optional<v1::JobEvent> Next();

  /// Waits for the next whole message, heartbeats and `synced` included; `synced` comes again after each reconnect. Not
  /// to be mixed with `Next`.
  std::optional<v1::StreamResponse> NextMessage();

  /// Ends the stream, also under a `Next` in another thread, which then answers nothing.
  void Close();

  /// The position after what has been handed out; empty before there is one. A StreamRequest with it goes on there.
  ///
  /// It moves when the last event of a message has been handed out: to go on from it never skips one.
  const std::string& cursor() const;
  /// The revision up to which everything that matches has been handed out; 0 before there is one.
  std::int64_t revision() const;
  /// The first snapshot, or what had happened since the cursor, has been handed out whole.
  bool synced() const;
  /// Ids of jobs handed out by a snapshot that was cut, and missing from the one that came through.
  const std::set<std::string>& vanished() const;

  Iterator begin() { return Iterator(this); }
  Iterator end() { return Iterator(); }

 private:
  std::unique_ptr<Impl> impl_;
};

/// What a job wrote, in pieces of bytes; a cut read goes on from the byte where it was cut. The call begins with the
/// first `Next`.
class OutputReader {
 public:
  using Iterator = ItemIterator<OutputReader, std::string>;
  class Impl;

  explicit OutputReader(std::unique_ptr<Impl> impl);
  OutputReader(OutputReader&&) noexcept;
  OutputReader& operator=(OutputReader&&) noexcept;
  ~OutputReader();

  /// Waits for the next piece, which is not empty.
  std::optional<std::string> Next();

  /// Everything up to the end.
  std::string ReadAll();

  /// Ends the read, also under a `Next` in another thread, which then answers nothing.
  void Close();

  /// The byte after what has been handed out.
  std::int64_t offset() const;
  /// The job wrote more than is kept; known at the end.
  bool truncated() const;

  Iterator begin() { return Iterator(this); }
  Iterator end() { return Iterator(); }

 private:
  std::unique_ptr<Impl> impl_;
};

/// The jobs of a List over all its pages, each fetched when it is needed.
class JobReader {
 public:
  using Iterator = ItemIterator<JobReader, v1::Job>;
  class Impl;

  explicit JobReader(std::unique_ptr<Impl> impl);
  JobReader(JobReader&&) noexcept;
  JobReader& operator=(JobReader&&) noexcept;
  ~JobReader();

  /// The next job, or nothing after the last. After an error it asks for the same page again.
  std::optional<v1::Job> Next();

  /// Where a stream starts that misses nothing since the first page; empty before the first `Next`.
  const std::string& cursor() const;

  Iterator begin() { return Iterator(this); }
  Iterator end() { return Iterator(); }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace slotd
