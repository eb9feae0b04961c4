// TLS 1.3 and nothing below it.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include <gtest/gtest.h>

#include "client.h"

namespace penguin::control::http::test {
namespace {

// A self-signed certificate and its key in two files.
TlsFiles make_certificate(const std::string& name)
{
    const std::string base = testing::TempDir() + "penguin-tls-" + std::to_string(::getpid()) + "-" + name;
    TlsFiles files{base + ".crt", base + ".key"};
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_sign(certificate, key, EVP_sha256());
    std::FILE* out = std::fopen(files.certificate.c_str(), "w");
    PEM_write_X509(out, certificate);
    std::fclose(out);
    out = std::fopen(files.key.c_str(), "w");
    PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return files;
}

class TlsTest : public testing::Test {
protected:
    TlsTest()
    {
        running_.router.add(
            Route{.method = Method::get,
                  .pattern = "/open",
                  .audience = Audience::anyone,
                  .handler = [](const Request&) -> awaitable<Answer> { co_return Response{.body = "{}"}; }});
        running_.start();
        running_.on_thread(
            [&] { port_ = running_.server->listen_tls({asio::ip::make_address("0.0.0.0"), 0}, files_).value(); });
    }
    ~TlsTest() override
    {
        std::filesystem::remove(files_.certificate);
        std::filesystem::remove(files_.key);
    }

    struct Heard {
        bool handshake = false;
        std::string version, protocol, name, response;
    };
    Heard ask(int version, const char* protocol = "\x08http/1.1")
    {
        Client client{port_};
        SSL_CTX* context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_min_proto_version(context, version);
        SSL_CTX_set_max_proto_version(context, version);
        SSL* ssl = SSL_new(context);
        SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(protocol),
                            static_cast<unsigned>(std::strlen(protocol)));
        SSL_set_fd(ssl, client.descriptor());
        Heard heard;
        heard.handshake = SSL_connect(ssl) == 1;
        if (heard.handshake) read(ssl, heard);
        SSL_free(ssl);
        SSL_CTX_free(context);
        return heard;
    }
    static void read(SSL* ssl, Heard& heard)
    {
        const std::string request = "GET /open HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
        SSL_write(ssl, request.data(), static_cast<int>(request.size()));
        char buffer[4096];
        for (int count = 0; (count = SSL_read(ssl, buffer, sizeof buffer)) > 0;)
            heard.response.append(buffer, static_cast<std::size_t>(count));
        heard.version = SSL_get_version(ssl);
        const unsigned char* chosen = nullptr;
        unsigned length = 0;
        SSL_get0_alpn_selected(ssl, &chosen, &length);
        heard.protocol.assign(reinterpret_cast<const char*>(chosen), length);
        X509* certificate = SSL_get1_peer_certificate(ssl);
        char name[256];
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
        heard.name = name;
        X509_free(certificate);
    }

    TlsFiles files_ = make_certificate("one");
    Running running_;
    std::uint16_t port_ = 0;
};

TEST_F(TlsTest, ServesTls13)
{
    const Heard heard = ask(TLS1_3_VERSION);
    EXPECT_TRUE(heard.handshake);
    EXPECT_EQ(heard.version, "TLSv1.3");
    EXPECT_EQ(heard.protocol, "http/1.1");
    EXPECT_EQ(status_of(heard.response), 200U);
}

TEST_F(TlsTest, RefusesTls12AndOtherProtocols)
{
    EXPECT_FALSE(ask(TLS1_2_VERSION).handshake);
    EXPECT_FALSE(ask(TLS1_3_VERSION, "\x02h2").handshake);
}

TEST_F(TlsTest, EndsWhoSpeaksInClear)
{
    Client client{port_};
    client.say("GET /open HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client.hear_all().find("HTTP/"), std::string::npos);
}

TEST_F(TlsTest, TakesANewCertificateAndKeepsTheOldOneWhenItIsBroken)
{
    const TlsFiles fresh = make_certificate("two");
    std::filesystem::rename(fresh.certificate, files_.certificate);
    running_.on_thread([&] {
        const auto broken = running_.server->reload_certificates();
        ASSERT_FALSE(broken) << "the key is still the old one";
        EXPECT_EQ(broken.error().code, Errc::tls_failed);
    });
    EXPECT_EQ(ask(TLS1_3_VERSION).name, "one");
    std::filesystem::rename(fresh.key, files_.key);
    running_.on_thread([&] { EXPECT_TRUE(running_.server->reload_certificates()); });
    EXPECT_EQ(ask(TLS1_3_VERSION).name, "two");
}

TEST_F(TlsTest, NeedsACertificateThatIsThere)
{
    running_.on_thread([&] {
        const auto missing =
            running_.server->listen_tls({asio::ip::address_v4::loopback(), 0}, {"/nowhere.crt", "/nowhere.key"});
        ASSERT_FALSE(missing);
        EXPECT_EQ(missing.error().code, Errc::tls_failed);
    });
}

} // namespace
} // namespace penguin::control::http::test
