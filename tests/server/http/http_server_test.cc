#include "server/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace asio = boost::asio;
using asio::ip::tcp;

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
    routes.Add("GET", "/hello", [](const HttpRequest&) {
      return HttpReply{200, "text/plain", "hello"};
    });
    routes.Add("POST", "/echo", [](const HttpRequest& request) {
      return HttpReply{200, "text/plain", request.body};
    });
    auto server = HttpServer::Start(options, std::move(routes));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  Client Connect() { return Client(server_->port()); }

  std::unique_ptr<HttpServer> server_;
};

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
