// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import YAML

extension ClientOptions.BasicAuthentication {
    init(_ node: YAMLNode, in directory: String) throws(YAMLError) {
        var fields = try YAMLMapping(node, "config.BasicAuth")
        username = try fields.string("username") ?? ""
        usernameFile = try fields.path("username_file", in: directory) ?? ""
        password = Secret(try fields.string("password") ?? "")
        passwordFile = try fields.path("password_file", in: directory) ?? ""
        try fields.refuse("username_ref")
        try fields.refuse("password_ref")
        try fields.finish()
        if !username.isEmpty, !usernameFile.isEmpty {
            throw node.invalid(
                "at most one of basic_auth username, username_file & username_ref must be configured"
            )
        }
        if !password.text.isEmpty, !passwordFile.isEmpty {
            throw node.invalid(
                "at most one of basic_auth password, password_file & password_ref must be configured"
            )
        }
    }

    var yaml: YAMLNode {
        .mapping([
            ("username", username.isEmpty ? nil : .string(username)),
            ("username_file", usernameFile.isEmpty ? nil : .string(usernameFile)),
            ("password", .secret(password)),
            ("password_file", passwordFile.isEmpty ? nil : .string(passwordFile)),
        ])
    }
}

extension ClientOptions.Authorization {
    init(_ node: YAMLNode, in directory: String) throws(YAMLError) {
        var fields = try YAMLMapping(node, "config.Authorization")
        let written = try fields.string("type") ?? ""
        credentials = Secret(try fields.string("credentials") ?? "")
        credentialsFile = try fields.path("credentials_file", in: directory) ?? ""
        try fields.refuse("credentials_ref")
        try fields.finish()
        let isSpace = { (character: Character) in character.isWhitespace }
        let trimmed = written.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        if !trimmed.isEmpty { type = String(trimmed) }
        if type.lowercased() == "basic" {
            throw node.invalid(
                "authorization type cannot be set to \"basic\", use \"basic_auth\" instead")
        }
        if !credentials.text.isEmpty, !credentialsFile.isEmpty {
            throw node.invalid(
                "at most one of authorization credentials & credentials_file must be configured")
        }
    }

    var yaml: YAMLNode {
        .mapping([
            ("type", .string(type)), ("credentials", .secret(credentials)),
            ("credentials_file", credentialsFile.isEmpty ? nil : .string(credentialsFile)),
        ])
    }
}

extension ClientOptions.Header {
    /// Headers that the client itself must set.
    private static let reserved: Set<String> = [
        "authorization", "host", "content-encoding", "content-length", "content-type",
        "user-agent", "connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "www-authenticate", "accept-encoding", "x-prometheus-remote-write-version",
        "x-prometheus-remote-read-version", "x-prometheus-scrape-timeout-seconds",
        "x-amz-date", "x-amz-security-token", "x-amz-content-sha256",
    ]

    static func list(
        _ node: YAMLNode?, in directory: String
    ) throws(YAMLError) -> [ClientOptions.Header] {
        guard let node else { return [] }
        var headers: [ClientOptions.Header] = []
        for (key, value) in try node.entries("config.plain") {
            let name = try key.string()
            guard !reserved.contains(name.lowercased()) else {
                throw key.invalid("setting header \(quoted(name)) is not allowed")
            }
            var fields = try YAMLMapping(value, "config.Header")
            var header = ClientOptions.Header(name: name)
            header.values = try fields.strings("values") ?? []
            header.secrets = (try fields.strings("secrets") ?? []).map(Secret.init)
            header.files = (try fields.strings("files") ?? []).map { joined(directory, $0) }
            try fields.finish()
            headers.append(header)
        }
        return headers
    }

    var yaml: YAMLNode {
        func list(_ texts: [String]) -> YAMLNode? {
            texts.isEmpty ? nil : .sequence(texts.map { .string($0) })
        }
        return .mapping([
            ("values", list(values)), ("secrets", list(secrets.map(\.description))),
            ("files", list(files)),
        ])
    }
}
