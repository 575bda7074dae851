#include "slotd/readers.h"

#include <utility>

#include "src/reader_impls.h"

namespace slotd {

EventReader::EventReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventReader::EventReader(EventReader&&) noexcept = default;
EventReader& EventReader::operator=(EventReader&&) noexcept = default;
EventReader::~EventReader() = default;

std::optional<v1::JobEvent> EventReader::Next() {
  for (;;) {
    if (std::optional<v1::JobEvent> event = impl_->progress.NextEvent()) {
      return event;
    }
    v1::StreamResponse message;
    if (!impl_->call.Read(&message)) {
      return std::nullopt;
    }
    impl_->progress.Receive(&message);
    impl_->progress.Queue(std::move(message));
  }
}

std::optional<v1::StreamResponse> EventReader::NextMessage() {
  v1::StreamResponse message;
  if (!impl_->call.Read(&message)) {
    return std::nullopt;
  }
  impl_->progress.Receive(&message);
  impl_->progress.Settle(message);
  return message;
}

void EventReader::Close() { impl_->call.Close(); }
const std::string& EventReader::cursor() const { return impl_->progress.cursor(); }
std::int64_t EventReader::revision() const { return impl_->progress.revision(); }
bool EventReader::synced() const { return impl_->progress.synced(); }
const std::set<std::string>& EventReader::vanished() const { return impl_->progress.vanished(); }

OutputReader::OutputReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OutputReader::OutputReader(OutputReader&&) noexcept = default;
OutputReader& OutputReader::operator=(OutputReader&&) noexcept = default;
OutputReader::~OutputReader() = default;

std::optional<std::string> OutputReader::Next() {
  v1::ReadOutputResponse message;
  while (!impl_->progress.ended() && impl_->call.Read(&message)) {
    std::string data = impl_->progress.Receive(std::move(message));
    if (!data.empty()) {
      return data;
    }
  }
  Close();
  return std::nullopt;
}

std::string OutputReader::ReadAll() {
  std::string all;
  while (const std::optional<std::string> piece = Next()) {
    all += *piece;
  }
  return all;
}

void OutputReader::Close() { impl_->call.Close(); }
std::int64_t OutputReader::offset() const { return impl_->progress.offset(); }
bool OutputReader::truncated() const { return impl_->progress.truncated(); }

JobReader::JobReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JobReader::JobReader(JobReader&&) noexcept = default;
JobReader& JobReader::operator=(JobReader&&) noexcept = default;
JobReader::~JobReader() = default;

std::optional<v1::Job> JobReader::Next() {
  while (impl_->used == impl_->page.jobs_size()) {
    if (!impl_->request) {
      return std::nullopt;
    }
    impl_->page = impl_->fetch(*impl_->request);
    impl_->used = 0;
    if (impl_->page.next_page_token().empty()) {
      impl_->request.reset();
    } else {
      impl_->request->set_page_token(impl_->page.next_page_token());
    }
  }
  return std::move(*impl_->page.mutable_jobs(impl_->used++));
}

const std::string& JobReader::cursor() const { return impl_->page.cursor(); }

}  // namespace slotd
