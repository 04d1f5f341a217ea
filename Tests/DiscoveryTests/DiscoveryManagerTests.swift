// SPDX-License-Identifier: Apache-2.0

import Discovery
import Instrumentation
import Model
import Platform
import Testing

@Suite struct DiscoveryManagerTests {
    @Test("Sets of fixed and file groups are handed out per job, and again after a change of jobs")
    func handsOut() async throws {
        let folder = try Folder()
        try folder.write("a.yml", "- targets: ['x:1']\n")
        let (sets, send) = AsyncStream<DiscoveryManager.Sets>.makeStream()
        let pool = try BoundedPool("test", threads: 1, queueLimit: 8)
        let surroundings = DiscoverySurroundings(
            fileSystem: LocalFileSystem(), clock: ContinuousClock(), pool: pool, log: .silent,
            registry: Registry())
        let manager = DiscoveryManager(surroundings) { send.yield($0) }
        let running = Task { await manager.run() }
        let fixed = TargetGroup(
            source: "0", targets: [Labels(["__address__": "y:1"])], labels: .empty)
        let file = FileDiscoveryConfiguration(files: ["\(folder.path)/a.yml"])
        await manager.apply(["a": [.file(file), .fixed([fixed])], "b": [.file(file)]])

        var iterator = sets.makeAsyncIterator()
        let atOnce = await iterator.next()
        #expect(atOnce == ["a": [fixed], "b": []])
        let published = await iterator.next()
        #expect(published?["a"]?.count == 2)
        #expect(published?["b"]?.map(\.source) == ["\(folder.path)/a.yml:0"])

        await manager.apply(["b": [.file(file)]])
        let reduced = await iterator.next()
        #expect(reduced?.keys.sorted() == ["b"])
        #expect(reduced?["b"]?.count == 1)
        running.cancel()
        await running.value
    }
}
