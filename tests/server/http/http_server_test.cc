#include "server/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/core/mutex.h"
#include "server/http/content_coding.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace asio = boost::asio;
using asio::ip::tcp;

constexpr size_t kLargeBytes = 32 << 20;

// A connection that sends what it is told. Used by one thread at a time.
class Client {
 public:
  explicit Client(int port) : socket_(context_) {
    socket_.connect({asio::ip::make_address("127.0.0.1"), static_cast<uint16_t>(port)});
  }

  void Send(const std::string& text) {
    boost::system::error_code ignored;
    asio::write(socket_, asio::buffer(text), ignored);
  }
  // One reply with a content-length: head and body.
  std::string Receive() {
    boost::system::error_code error;
    const size_t head =
        asio::read_until(socket_, asio::dynamic_buffer(received_), "\r\n\r\n", error);
    if (error) return "";
    const std::string marker = "Content-Length: ";
    size_t length = 0;
    const size_t at = received_.find(marker);
    if (at < head) {
      EXPECT_TRUE(absl::SimpleAtoi(
          received_.substr(at + marker.size(), received_.find("\r\n", at) - at - marker.size()),
          &length));
    }
    if (is_head_) length = 0;
    if (received_.size() < head + length) {
      asio::read(socket_, asio::dynamic_buffer(received_),
                 asio::transfer_exactly(head + length - received_.size()), error);
    }
    const std::string reply = received_.substr(0, head + length);
    received_.erase(0, head + length);
    return reply;
  }
  // True when the server has closed the connection and nothing more comes.
  bool IsClosed() {
    boost::system::error_code error;
    char byte;
    return asio::read(socket_, asio::buffer(&byte, 1), error) == 0;
  }
  std::string Ask(const std::string& text) {
    is_head_ = absl::StartsWith(text, "HEAD");
    Send(text);
    return Receive();
  }

 private:
  asio::io_context context_;
  tcp::socket socket_;
  std::string received_;
  bool is_head_ = false;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void Start(HttpServerOptions options = {}) {
    HttpRoutes routes;
    routes.Add(ApiCategory::kHealth, "GET", "/hello", [](const HttpRequest&) {
      return HttpReply{200, "text/plain", "hello"};
    });
    routes.Add(ApiCategory::kInference, "POST", "/echo", [](const HttpRequest& request) {
      return HttpReply{200, "text/plain", request.body};
    });
    // Its calls wait until a test answers them.
    routes.AddAsync(ApiCategory::kInference, "POST", "/later",
                    [this](std::shared_ptr<HttpCall> call) {
                      MutexLock lock(&mutex_);
                      calls_.push_back(std::move(call));
                      changed_.SignalAll();
                    });
    auto server = HttpServer::Start(options, std::move(routes));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  Client Connect() { return Client(server_->port()); }
  std::shared_ptr<HttpCall> NextCall() {
    MutexLock lock(&mutex_);
    while (calls_.empty()) changed_.Wait(&mutex_);
    std::shared_ptr<HttpCall> call = std::move(calls_.front());
    calls_.pop_front();
    return call;
  }

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::shared_ptr<HttpCall>> calls_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<HttpServer> server_;
};

std::string Post(const std::string& path, const std::string& body,
                 const std::string& headers = "") {
  return absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: a\r\n", headers,
                      "Content-Length: ", body.size(), "\r\n\r\n", body);
}

constexpr char kHello[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
  Start();
  Client client(server_->port());
  for (int i = 0; i < 3; ++i) {
    const std::string reply = client.Ask(kHello);
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(reply, HasSubstr("\r\n\r\nhello"));
  }
}

TEST_F(HttpServerTest, AnswersRequestsThatComeTogether) {
  Start();
  Client client(server_->port());
  client.Send(std::string(kHello) + kHello);
  EXPECT_THAT(client.Receive(), HasSubstr("hello"));
  EXPECT_THAT(client.Receive(), HasSubstr("hello"));
}

TEST_F(HttpServerTest, ClosesWhenAskedTo) {
  Start();
  Client client(server_->port());
  EXPECT_THAT(client.Ask("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
              HasSubstr("hello"));
  EXPECT_TRUE(client.IsClosed());
  Client old(server_->port());
  EXPECT_THAT(old.Ask("GET /hello HTTP/1.0\r\n\r\n"), HasSubstr("hello"));
  EXPECT_TRUE(old.IsClosed());
}

TEST_F(HttpServerTest, HeadHasTheLengthButNoBody) {
  Start();
  Client client(server_->port());
  const std::string reply = client.Ask("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(reply, HasSubstr("Content-Length: 5"));
  EXPECT_THAT(client.Ask(kHello), HasSubstr("hello"));
}

TEST_F(HttpServerTest, TakesABodyUpToTheLimit) {
  HttpServerOptions options;
  options.max_body_bytes = 100;
  Start(options);
  Client client(server_->port());
  EXPECT_THAT(client.Ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
              HasSubstr("\r\n\r\nabc"));
  EXPECT_THAT(client.Ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(HttpServerTest, RefusesAHugeLength) {
  Start();
  Client client(server_->port());
  EXPECT_THAT(client.Ask("POST /echo HTTP/1.1\r\nHost: a\r\n"
                         "Content-Length: 18446744073709551615\r\n\r\n"),
              StartsWith("HTTP/1.1 4"));
}

TEST_F(HttpServerTest, RefusesALargeHeader) {
  Start();
  Client client(server_->port());
  EXPECT_THAT(client.Ask("GET /hello HTTP/1.1\r\nHost: " + std::string(20000, 'a') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
}

TEST_F(HttpServerTest, RefusesWhatIsNoRequest) {
  Start();
  for (const char* text : {"\r\n\r\n\x01\x02\r\n\r\n", "GET\r\n\r\n", "GET /hello HTTP/9\r\n\r\n",
                           "GET /hello HTTP/1.1\r\nno colon\r\n\r\n",
                           "POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n"}) {
    Client client(server_->port());
    EXPECT_THAT(client.Ask(text), StartsWith("HTTP/1.1 400")) << text;
  }
  EXPECT_THAT(Connect().Ask(kHello), HasSubstr("hello"));
}

TEST_F(HttpServerTest, RefusesConnectionsBeyondTheLimit) {
  HttpServerOptions options;
  options.max_connections = 1;
  Start(options);
  Client first(server_->port());
  EXPECT_THAT(first.Ask(kHello), HasSubstr("hello"));
  EXPECT_EQ(server_->connections(), 1);
  Client second(server_->port());
  EXPECT_THAT(second.Receive(), StartsWith("HTTP/1.1 503"));
}

TEST_F(HttpServerTest, EndsAConnectionThatDoesNotSend) {
  HttpServerOptions options;
  options.timeout = absl::Milliseconds(20);
  Start(options);
  Client client(server_->port());
  client.Send("GET /hello HTTP/1.1\r\n");
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(HttpServerTest, EndsWithOpenConnections) {
  Start();
  Client client(server_->port());
  EXPECT_THAT(client.Ask(kHello), HasSubstr("hello"));
  server_.reset();
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(HttpServerTest, AReplyMayComeFromAnotherThread) {
  Start();
  Client client(server_->port());
  for (int i = 0; i < 3; ++i) {
    client.Send(Post("/later", "question"));
    std::thread([call = NextCall()] {
      call->Reply(HttpReply{200, "text/plain", "to " + call->request().body});
    }).join();
    EXPECT_THAT(client.Receive(), HasSubstr("\r\n\r\nto question"));
  }
}

TEST_F(HttpServerTest, RepliesKeepTheOrderOfRequestsThatComeTogether) {
  Start();
  Client client(server_->port());
  client.Send(Post("/later", "1") + kHello + Post("/echo", "3"));
  NextCall()->Reply(HttpReply{200, "text/plain", "first"});
  EXPECT_THAT(client.Receive(), HasSubstr("first"));
  EXPECT_THAT(client.Receive(), HasSubstr("hello"));
  EXPECT_THAT(client.Receive(), HasSubstr("\r\n\r\n3"));
}

TEST_F(HttpServerTest, OtherConnectionsAreServedWhileOneWaits) {
  Start();
  Client waiting(server_->port());
  waiting.Send(Post("/later", ""));
  const auto call = NextCall();
  EXPECT_THAT(Connect().Ask(kHello), HasSubstr("hello"));
  call->Reply(HttpReply());
  EXPECT_THAT(waiting.Receive(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, OneThreadThatIsBusyDoesNotHoldUpTheOthers) {
  HttpServerOptions options;
  options.threads = 2;
  Start(options);
  Client busy(server_->port());
  busy.Send(Post("/later", ""));
  std::promise<void> entered, release;
  NextCall()->ReplyWith([&] {
    entered.set_value();
    release.get_future().wait();
    return HttpReply();
  });
  entered.get_future().wait();
  EXPECT_THAT(Connect().Ask(kHello), HasSubstr("hello"));
  release.set_value();
  EXPECT_THAT(busy.Receive(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, ACallLearnsThatItsClientWentAway) {
  Start();
  // Also behind bytes that nobody reads yet.
  for (const char* next : {"", "GET /hello HTTP/1.1\r\n"}) {
    std::promise<void> gone;
    std::shared_ptr<HttpCall> call;
    {
      Client client(server_->port());
      client.Send(Post("/later", ""));
      call = NextCall();
      call->WhenGone([&] { gone.set_value(); });
      client.Send(next);
    }
    gone.get_future().wait();
    call->Reply(HttpReply());
  }
}

TEST_F(HttpServerTest, WhatAReplyHoldsIsLetGoWhenItHasLeft) {
  Start();
  for (const bool stays : {true, false}) {
    auto released = std::make_shared<std::promise<void>>();
    std::future<void> let_go = released->get_future();
    std::optional<Client> client(server_->port());
    client->Send(Post("/later", ""));
    const auto call = NextCall();
    if (!stays) client.reset();
    HttpReply reply;
    reply.held = std::shared_ptr<void>(nullptr, [released](void*) { released->set_value(); });
    call->Reply(std::move(reply));
    let_go.wait();
  }
}

TEST_F(HttpServerTest, RepliesAfterItsEndAreDropped) {
  Start();
  Client client(server_->port());
  client.Send(Post("/later", ""));
  const auto call = NextCall();
  server_.reset();
  auto held = std::make_shared<int>();
  HttpReply reply;
  reply.held = held;
  call->Reply(std::move(reply));
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(HttpServerTest, ReadsABodyInChunks) {
  HttpServerOptions options;
  options.max_body_bytes = 200'000;
  Start(options);
  Client client(server_->port());
  const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_THAT(client.Ask(head + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"),
              HasSubstr("\r\n\r\nabcde"));
  const std::string chunk = absl::StrCat("186a0\r\n", std::string(100'000, 'y'), "\r\n");
  EXPECT_THAT(client.Ask(absl::StrCat(head, chunk, chunk, "0\r\n\r\n")),
              HasSubstr("Content-Length: 200000"));
  EXPECT_THAT(client.Ask(absl::StrCat(head, chunk, chunk, "1\r\nz\r\n0\r\n\r\n")),
              StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpServerTest, RefusesBrokenChunks) {
  Start();
  for (const char* chunks : {"zz\r\n", "ffffffffffffffffff\r\n", "3\r\nabcdef\r\n", "-1\r\n"}) {
    EXPECT_THAT(
        Connect().Ask(absl::StrCat(
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", chunks)),
        StartsWith("HTTP/1.1 4"))
        << chunks;
  }
}

TEST_F(HttpServerTest, RefusesTwoWaysToSayTheLength) {
  Start();
  EXPECT_THAT(Connect().Ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Connect().Ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                            "Content-Length: 4\r\n\r\nabcd"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Connect().Ask("POST /echo HTTP/1.1\r\nHost: a\r\n"
                            "Transfer-Encoding: gzip, chunked\r\n\r\n"),
              StartsWith("HTTP/1.1 501"));
}

TEST_F(HttpServerTest, DecompressesBodiesAndCompressesReplies) {
  Start();
  Client client(server_->port());
  const std::string text(20'000, 'x');
  for (const ContentCoding coding : {ContentCoding::kGzip, ContentCoding::kDeflate}) {
    const absl::string_view name = ContentCodingName(coding);
    const std::string reply = client.Ask(
        Post("/echo", *Compress(text, coding),
             absl::StrCat("Content-Encoding: ", name, "\r\nAccept-Encoding: ", name, "\r\n")));
    EXPECT_THAT(reply, HasSubstr(absl::StrCat("Content-Encoding: ", name)));
    const std::string body = reply.substr(reply.find("\r\n\r\n") + 4);
    EXPECT_LT(body.size(), 1000u);
    EXPECT_TRUE(*Decompress(body, coding, 1 << 20, nullptr) == text);
  }
  EXPECT_THAT(client.Ask(Post("/echo", "a", "Accept-Encoding: gzip\r\n")), HasSubstr("\r\n\r\na"));
}

TEST_F(HttpServerTest, ABombIsTooLarge) {
  HttpServerOptions options;
  options.max_body_bytes = 1 << 20;
  Start(options);
  Client client(server_->port());
  const std::string bomb = *Compress(std::string(16 << 20, '\0'), ContentCoding::kGzip);
  EXPECT_THAT(client.Ask(Post("/echo", bomb, "Content-Encoding: gzip\r\n")),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(client.Ask(kHello), HasSubstr("hello"));
  EXPECT_THAT(client.Ask(Post("/echo", "no gzip", "Content-Encoding: gzip\r\n")),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(client.Ask(Post("/echo", "x", "Content-Encoding: br\r\n")),
              StartsWith("HTTP/1.1 415"));
}

TEST_F(HttpServerTest, InvitesABodyThatWaitsToBeInvited) {
  Start();
  Client client(server_->port());
  EXPECT_THAT(client.Ask("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                         "Content-Length: 3\r\n\r\n"),
              StartsWith("HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_THAT(client.Ask("abc"), HasSubstr("\r\n\r\nabc"));
  EXPECT_THAT(client.Ask("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                         "Content-Length: 99999999\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(Connect().Ask("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n"
                            "Content-Length: 3\r\n\r\n"),
              StartsWith("HTTP/1.1 417"));
}

TEST_F(HttpServerTest, RefusesFromTheHeaderAloneWhatNobodyTakes) {
  Start();
  Client unknown(server_->port());
  EXPECT_THAT(unknown.Ask("POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"),
              StartsWith("HTTP/1.1 404"));
  EXPECT_TRUE(unknown.IsClosed());
  Client other(server_->port());
  EXPECT_THAT(other.Ask("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(other.Ask(kHello), HasSubstr("hello"));
}

TEST_F(HttpServerTest, CountsTheMemoryOfBodies) {
  InflightBytes inflight(100'000);
  HttpServerOptions options;
  options.max_body_bytes = 1 << 20;
  options.inflight = &inflight;
  Start(options);
  Client client(server_->port());
  client.Send(Post("/later", std::string(50'000, 'x')));
  const auto call = NextCall();
  EXPECT_EQ(inflight.used(), 50'000);
  EXPECT_THAT(Connect().Ask(Post("/echo", std::string(60'000, 'x'))), StartsWith("HTTP/1.1 429"));
  call->Reply(HttpReply());
  EXPECT_THAT(client.Receive(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, EndsAConnectionThatDoesNotSendItsBody) {
  HttpServerOptions options;
  options.timeout = absl::Milliseconds(20);
  Start(options);
  Client client(server_->port());
  client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab");
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(HttpServerTest, EndsAConnectionThatDoesNotRead) {
  HttpServerOptions options;
  options.timeout = absl::Milliseconds(50);
  options.least_bytes_per_second = int64_t{1} << 40;
  Start(options);
  Client client(server_->port());
  client.Send(Post("/later", ""));
  std::promise<void> let_go;
  HttpReply reply;
  reply.body.assign(kLargeBytes, 'x');
  reply.held = std::shared_ptr<void>(nullptr, [&](void*) { let_go.set_value(); });
  NextCall()->Reply(std::move(reply));
  let_go.get_future().wait();
  EXPECT_LT(client.Receive().size(), kLargeBytes);
}

TEST_F(HttpServerTest, EndsAConnectionThatIsIdle) {
  HttpServerOptions options;
  options.timeout = absl::Seconds(20);
  options.idle_timeout = absl::Milliseconds(20);
  Start(options);
  Client client(server_->port());
  EXPECT_THAT(client.Ask(kHello), HasSubstr("hello"));
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(HttpServerTest, ATakenPortIsAnError) {
  Start();
  HttpServerOptions options;
  options.port = server_->port();
  EXPECT_TRUE(absl::IsUnavailable(HttpServer::Start(options, HttpRoutes()).status()));
  options.address = "no.such.host.invalid";
  EXPECT_TRUE(absl::IsUnavailable(HttpServer::Start(options, HttpRoutes()).status()));
}

}  // namespace
}  // namespace inferd
