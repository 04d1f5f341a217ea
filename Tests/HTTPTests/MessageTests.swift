// SPDX-License-Identifier: Apache-2.0

import HTTP
import Testing

@Suite("Requests and routes")
struct MessageTests {
    @Test("parameters as Go parses them")
    func parameters() {
        var request = Request(
            method: "POST", target: "/a%2Fb?x=1&y=%41+%2B&x=3&=e&z&bad=%zz&s;t=1",
            headers: ["content-type": "application/x-www-form-urlencoded; charset=utf-8"],
            body: Array("x=form&match[]=a&match%5B%5D=b".utf8))
        #expect(request.path == "/a/b")
        let parameters = request.parameters
        #expect(parameters["x"] == "form")
        #expect(parameters.all("x") == ["form", "1", "3"])
        #expect(parameters.all("match[]") == ["a", "b"])
        #expect(parameters["y"] == "A +")
        #expect(parameters["z"] == "" && parameters[""] == "e")
        #expect(parameters.error?.description == "invalid URL escape \"%zz\"")
        #expect(request.urlParameters["x"] == "1")
        request.method = "GET"
        #expect(request.parameters["x"] == "1")
        #expect(
            Parameters(parsing: "a=1;b=2&c=3").error?.description
                == "invalid semicolon separator in query")
        #expect(Parameters(parsing: "a=1;b=2&c=3").pairs.count == 1)
    }

    @Test("routes by fixed, named and remaining segments")
    func routes() {
        var router = Router()
        func route(_ pattern: String) -> Route { Route(pattern: pattern) { _ in .text("") } }
        router.add(["GET", "POST"], route("/api/v1/query"))
        router.add(["GET"], route("/api/v1/label/:name/values"))
        router.add(["OPTIONS"], route("/api/v1/*path"))
        router.add(["GET"], route("/"))
        func found(_ method: String, _ path: String) -> String {
            switch router.match(method, path) {
            case .route(let route, let parameters):
                route.pattern + parameters.map { " \($0.key)=\($0.value)" }.joined()
            case .moved(let path): "to \(path)"
            case .otherMethods(let methods): methods.joined(separator: ",")
            case .none: "-"
            }
        }
        #expect(found("GET", "/api/v1/query") == "/api/v1/query")
        #expect(found("DELETE", "/api/v1/query") == "GET,POST")
        #expect(found("HEAD", "/api/v1/query") == "GET,POST")
        #expect(found("GET", "/api/v1/label/a b/values") == "/api/v1/label/:name/values name=a b")
        #expect(found("GET", "/api/v1/label//values") == "-")
        #expect(found("GET", "/api/v1/nope") == "-")
        #expect(found("OPTIONS", "/api/v1/nope/x") == "/api/v1/*path path=nope/x")
        #expect(found("GET", "/") == "/")
        #expect(found("GET", "") == "/")
        #expect(found("GET", "/x") == "-")
        #expect(found("GET", "/api/v1/query/") == "to /api/v1/query")
        #expect(found("DELETE", "/api/v1/query/") == "-")
        #expect(found("GET", "/api/v1/label/a/values/") == "to /api/v1/label/a/values")
    }

    @Test("sends paths with empty segments and dots to the clean one")
    func cleanPaths() {
        #expect(cleanPath("/api/v1/query") == "/api/v1/query")
        #expect(cleanPath("//api//v1/query/") == "/api/v1/query/")
        #expect(cleanPath("/api/./x/../v1") == "/api/v1")
        #expect(cleanPath("/../..") == "/")
        func answer(_ method: String, _ target: String) -> Response? {
            Response.toCleanPath(Request(method: method, target: target))
        }
        #expect(answer("GET", "/api/v1/query?x=1")?.status == nil)
        let moved = answer("GET", "//api/v1/lab%C3%A9l?a=1&b=%22")
        #expect(moved?.status == 301)
        #expect(moved?.headers["Location"] == "/api/v1/lab%C3%A9l?a=1&b=%22")
        if case .bytes(let bytes)? = moved?.body {
            let link = "<a href=\"/api/v1/lab%C3%A9l?a=1&amp;b=%22\">Moved Permanently</a>.\n\n"
            #expect(String(decoding: bytes, as: UTF8.self) == link)
        }
        #expect(answer("POST", "//x")?.headers["Content-Type"] == nil)
    }
}
