// SPDX-License-Identifier: Apache-2.0

/// What answers requests to one path.
package struct Route: Sendable {
    package typealias Handler = @Sendable (Request) -> Response

    /// The pattern as it was registered: the `handler` label of the metrics.
    package var pattern: String
    /// Where the handler runs.
    package var lane: Lane
    /// Requests with a longer body are refused before it is read.
    package var bodyLimit: Int
    package var handler: Handler

    package init(
        pattern: String, lane: Lane = .general, bodyLimit: Int = 10 << 20,
        handler: @escaping Handler
    ) {
        self.pattern = pattern
        self.lane = lane
        self.bodyLimit = bodyLimit
        self.handler = handler
    }
}

/// Which threads run a handler.
package enum Lane: Sendable, Hashable {
    /// The event loop itself: for what takes microseconds and never waits.
    case inline
    /// The pool for everything that reads storage or state.
    case general
    /// The pool that bounds how many queries run at once.
    case queries
}

/// Finds the route of a request. Patterns consist of segments: a fixed text, `:name` for any one
/// segment, or at the end `*name` for the rest of the path. Fixed segments go before named ones.
package struct Router: Sendable {
    package enum Match: Sendable {
        case route(Route, parameters: [String: String])
        /// This path has a route for the method: the same with a slash at the end, or without.
        case moved(to: String)
        /// The path has routes for these methods only.
        case otherMethods([String])
        case none
    }

    private struct Node: Sendable {
        var fixed: [String: Node] = [:]
        var named: [Named] = []
        /// Routes that end here, by method.
        var routes: [String: Route] = [:]
        /// Routes that take the rest of the path, by method, with its name.
        var rest: [String: (name: String, route: Route)] = [:]
    }

    private struct Named: Sendable {
        var name: String
        var node: Node
    }

    private var root = Node()

    package init() {}

    package mutating func add(_ methods: [String], _ route: Route) {
        let segments = Self.segments(route.pattern)
        for method in methods { Self.insert(&root, segments[...], method, route) }
    }

    private static func insert(
        _ node: inout Node, _ segments: ArraySlice<Substring>, _ method: String, _ route: Route
    ) {
        guard let first = segments.first else {
            node.routes[method] = route
            return
        }
        let name = String(first.dropFirst())
        if first.hasPrefix("*") {
            node.rest[method] = (name, route)
        } else if first.hasPrefix(":") {
            if node.named.isEmpty { node.named.append(Named(name: name, node: Node())) }
            insert(&node.named[0].node, segments.dropFirst(), method, route)
        } else {
            insert(&node.fixed[String(first), default: Node()], segments.dropFirst(), method, route)
        }
    }

    package func match(_ method: String, _ path: String) -> Match {
        var methods: Set<String> = []
        var parameters: [String: String] = [:]
        if let route = find(root, Self.segments(path)[...], method, &parameters, &methods) {
            return .route(route, parameters: parameters)
        }
        if path != "/" {
            let other = path.hasSuffix("/") ? String(path.dropLast()) : path + "/"
            var (ignored, others): ([String: String], Set<String>) = ([:], [])
            if find(root, Self.segments(other)[...], method, &ignored, &others) != nil {
                return .moved(to: other)
            }
        }
        return methods.isEmpty ? .none : .otherMethods(methods.sorted())
    }

    private func find(
        _ node: Node, _ segments: ArraySlice<Substring>, _ method: String,
        _ parameters: inout [String: String], _ methods: inout Set<String>
    ) -> Route? {
        if let first = segments.first {
            if let next = node.fixed[String(first)],
                let route = find(next, segments.dropFirst(), method, &parameters, &methods)
            {
                return route
            }
            if let named = node.named.first, !first.isEmpty,
                let route = find(
                    named.node, segments.dropFirst(), method, &parameters, &methods)
            {
                parameters[named.name] = String(first)
                return route
            }
        } else {
            methods.formUnion(node.routes.keys)
            if let route = node.routes[method] { return route }
        }
        if let (name, route) = node.rest[method] {
            parameters[name] = segments.joined(separator: "/")
            return route
        }
        // A route for any path under a prefix does not make every such path known.
        return nil
    }

    private static func segments(_ path: String) -> [Substring] {
        path.dropFirst(path.hasPrefix("/") ? 1 : 0)
            .split(separator: "/" as Character, omittingEmptySubsequences: false)
    }
}
