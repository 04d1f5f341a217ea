// SPDX-License-Identifier: Apache-2.0

package import YAML

/// How to talk to an HTTP server: the options that scraping, discovery and all else that sends
/// requests share. They stand inline among the fields of the section they belong to.
package struct ClientOptions: Sendable, Hashable {
    package var basicAuthentication: BasicAuthentication?
    package var authorization: Authorization?
    package var followsRedirects = true
    package var usesHTTP2 = true
    package var headers: [Header] = []

    package struct BasicAuthentication: Sendable, Hashable {
        package var username = ""
        /// Read anew for each request, like every file named here.
        package var usernameFile = ""
        package var password = Secret("")
        package var passwordFile = ""
    }

    package struct Authorization: Sendable, Hashable {
        package var type = "Bearer"
        package var credentials = Secret("")
        package var credentialsFile = ""
    }

    package struct Header: Sendable, Hashable {
        package var name: String
        package var values: [String] = []
        package var secrets: [Secret] = []
        package var files: [String] = []

        package init(name: String, secrets: [Secret] = []) {
            self.name = name
            self.secrets = secrets
        }
    }

    package init() {}

    /// Takes the options from among the fields of a section in a file of `directory`.
    package init(_ fields: inout YAMLMapping, in directory: String) throws(YAMLError) {
        basicAuthentication = try fields.decode("basic_auth") { node throws(YAMLError) in
            try BasicAuthentication(node, in: directory)
        }
        authorization = try fields.decode("authorization") { node throws(YAMLError) in
            try Authorization(node, in: directory)
        }
        let hasOAuth = fields.take("oauth2") != nil
        let token = try fields.string("bearer_token") ?? ""
        let tokenFile = try fields.path("bearer_token_file", in: directory) ?? ""
        followsRedirects = try fields.bool("follow_redirects") ?? followsRedirects
        usesHTTP2 = try fields.bool("enable_http2") ?? usesHTTP2
        headers = try Header.list(fields.take("http_headers"), in: directory)
        try takeBearer(token, tokenFile, hasOAuth, fields)
        for name in [
            "oauth2", "tls_config", "proxy_url", "no_proxy", "proxy_from_environment",
            "proxy_connect_header",
        ] {
            try fields.refuse(name)
        }
    }

    /// Checks that there is one way of authentication at most, and makes the old spelling of a
    /// bearer token the new one.
    private mutating func takeBearer(
        _ token: String, _ tokenFile: String, _ hasOAuth: Bool, _ fields: YAMLMapping
    ) throws(YAMLError) {
        func refusal(_ message: String, _ field: String) -> YAMLError {
            YAMLError(.value, message, at: fields.position(of: field))
        }
        let hasBearer = !token.isEmpty || !tokenFile.isEmpty
        let field = tokenFile.isEmpty ? "bearer_token" : "bearer_token_file"
        if !token.isEmpty, !tokenFile.isEmpty {
            throw refusal(
                "at most one of bearer_token & bearer_token_file must be configured", field)
        }
        if hasBearer, basicAuthentication != nil || hasOAuth {
            throw refusal(
                "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be "
                    + "configured", field)
        }
        if hasBearer, authorization != nil {
            throw refusal(
                "authorization is not compatible with bearer_token & bearer_token_file", field)
        }
        let ways = [basicAuthentication != nil, authorization != nil, hasOAuth]
        if ways.count(where: { $0 }) > 1 {
            throw refusal(
                "at most one of basic_auth, oauth2 & authorization must be configured",
                hasOAuth ? "oauth2" : "authorization")
        }
        guard hasBearer else { return }
        var bearer = Authorization()
        bearer.credentials = Secret(token)
        bearer.credentialsFile = tokenFile
        authorization = bearer
    }

    /// The options in upstream's marshalled form, to be put among the fields of their section.
    package var yaml: [(String, YAMLNode?)] {
        let headers = headers.map { ($0.name, Optional($0.yaml)) }
        return [
            ("basic_auth", basicAuthentication?.yaml),
            ("authorization", authorization?.yaml),
            ("follow_redirects", .bool(followsRedirects)),
            ("enable_http2", .bool(usesHTTP2)),
            ("http_headers", headers.isEmpty ? nil : .mapping(headers)),
        ]
    }
}
