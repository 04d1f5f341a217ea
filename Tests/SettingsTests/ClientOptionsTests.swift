// SPDX-License-Identifier: Apache-2.0

import Settings
import Testing
import YAML

private func check(_ text: String) throws -> String {
    do throws(YAMLError) {
        guard let node = try YAMLNode(parsing: text) else { return "" }
        var fields = try YAMLMapping(node, "config.plain")
        let options = try ClientOptions(&fields, in: "/etc/x")
        try fields.finish()
        return YAMLNode.mapping(options.yaml).yaml()
    } catch {
        return error.text
    }
}

@Suite struct ClientOptionsTests {
    @Test(
        "Credentials are read, their files found, and never shown",
        arguments: [
            (
                "basic_auth: {username: u, password: p}",
                "basic_auth:\n  username: u\n  password: <secret>\n"
            ),
            (
                "basic_auth: {username_file: u, password_file: /p}",
                "basic_auth:\n  username_file: /etc/x/u\n  password_file: /p\n"
            ),
            (
                "bearer_token: t",
                "authorization:\n  type: Bearer\n  credentials: <secret>\n"
            ),
            (
                "bearer_token_file: t",
                "authorization:\n  type: Bearer\n  credentials_file: /etc/x/t\n"
            ),
            (
                "authorization: {type: ' Token ', credentials: c}",
                "authorization:\n  type: Token\n  credentials: <secret>\n"
            ),
            (
                "http_headers: {X-A: {values: [b], secrets: [c], files: [d]}}",
                "http_headers:\n  X-A:\n    values:\n    - b\n    secrets:\n    - <secret>\n"
                    + "    files:\n    - /etc/x/d\n"
            ),
            ("{tls_config: {}, oauth2: }", ""),
        ])
    func reading(text: String, expected: String) throws {
        let always = "follow_redirects: true\nenable_http2: true\n"
        #expect(try check(text).replacing(always, with: "") == expected)
    }

    @Test(
        "Contradictions and what is not built yet are refused",
        arguments: [
            (
                "{bearer_token: a, bearer_token_file: b}",
                "at most one of bearer_token & bearer_token_file must be configured"
            ),
            (
                "{bearer_token: a, basic_auth: {username: u}}",
                "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured"
            ),
            (
                "{authorization: {}, basic_auth: {username: u}}",
                "at most one of basic_auth, oauth2 & authorization must be configured"
            ),
            ("authorization: {type: basic}", "authorization type cannot be set to \"basic\""),
            ("http_headers: {Host: {values: [a]}}", "setting header \"Host\" is not allowed"),
            ("tls_config: {insecure_skip_verify: true}", "tls_config is not supported yet"),
            ("basic_auth: {user: u}", "field user not found in type config.BasicAuth"),
        ])
    func refusals(text: String, expected: String) throws {
        #expect(try check(text).contains(expected))
    }

    @Test("A secret does not show in any print")
    func secrecy() {
        var options = ClientOptions()
        options.headers = [ClientOptions.Header(name: "a", secrets: [Secret("hunter2")])]
        var dumped = ""
        dump(options, to: &dumped)
        #expect(!"\(options) \(String(reflecting: options)) \(dumped)".contains("hunter2"))
    }
}
