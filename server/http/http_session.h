#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "server/http/content_coding.h"
#include "server/http/http_call.h"
#include "server/http/http_port.h"
#include "server/http/http_stream.h"

namespace inferd {

// One connection: reads a request, has it answered, writes the reply, reads the next; requests that
// come together are answered one after the other. Kept alive by its own callbacks and, while it
// waits for a reply, by the port. Used on its strand.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  // The socket's executor is a strand.
  HttpSession(boost::asio::ip::tcp::socket socket, std::shared_ptr<HttpPort> port);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  void Run();

 private:
  using Error = boost::system::error_code;
  using Clock = std::chrono::steady_clock;

  void Handshake();
  // Waits for the first byte of the next request, then reads its header.
  void ReadNext();
  void ReadHeader();
  void OnHeader(Error error);
  // Settles from the header alone what can be: refuses, or goes on to the body.
  void TakeHeader();
  std::optional<HttpReply> RefusalOfHeader();
  void SendContinue();

  void ReadBody();
  void OnBody(Error error);
  bool GrowBody();
  // Hands the whole request to its handler.
  void Dispatch();
  std::optional<HttpReply> DecompressBody();
  // Tells the call when the client goes away.
  void Watch();
  void OnWatched(Error error);

  // Answers what could not be read, where somebody is there to be answered.
  void Fail(Error error);
  // The reply to a request that does not reach its route.
  void AnswerRefusal(HttpReply reply);
  // The same where the request cannot be read on; the connection ends.
  void Refuse(HttpReply reply);
  void Answer(HttpReply reply);
  void CompressReply(HttpReply* reply) const;
  void WriteSome();
  void OnWritten();
  // Reads on for a while and throws away, so that the client gets the reply before a reset.
  void Linger();
  void Discard();
  void Close();
  // The time by which what began at `start_` must end, now that so many bytes have passed.
  void SetDeadline(size_t bytes);

  const std::shared_ptr<HttpPort> port_;
  HttpStream stream_;
  PeerNames peer_;
  boost::asio::steady_timer watch_timer_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::buffer_body>> parser_;
  std::string address_;  // the client's
  HttpRequest request_;
  size_t body_bytes_ = 0;  // of request_.body, which may be larger while it is read
  HttpRoutes::Match match_;
  ContentCoding reply_coding_ = ContentCoding::kIdentity;
  bool without_body_ = false;
  bool keep_alive_ = true;
  bool unread_ = false;  // the client may still be sending a body
  Clock::time_point start_;

  std::weak_ptr<HttpCall> call_;  // while its reply is awaited
  bool awaiting_ = false;
  bool watching_ = false;

  boost::beast::http::response<boost::beast::http::string_body> response_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>>
      serializer_;
  size_t written_bytes_ = 0;
  std::shared_ptr<void> held_;
};

}  // namespace inferd
