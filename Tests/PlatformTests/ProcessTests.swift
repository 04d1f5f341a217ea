// SPDX-License-Identifier: Apache-2.0

import Bytes
import Glibc
import Platform
import Testing

@Suite struct ProcessTests {
    @Test func statisticsOfThisProcessArePlausible() {
        let now = ProcessStatistics.current()
        #expect(now.residentMemory > 1 << 20 && now.virtualMemory >= now.residentMemory)
        #expect(now.openFiles > 0 && now.openFiles <= now.openFilesLimit)
        #expect(now.threads > 0 && now.cpuSeconds > 0)
        let age = Double(currentMilliseconds()) / 1000 - now.startTime
        #expect(age > -1 && age < 24 * 3600)
    }

    @Test func pagesOfAFileCountUntilTheyAreReleased() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/file"
        let length = 64 << 20
        try LocalFileSystem().open(path, .replace)
            .write([UInt8](repeating: 7, count: length).raw, at: 0)
        let memory = MappedMemory()
        let file = try MappedFile(path)
        let before = memory.byteCount
        var sum = 0
        for place in stride(from: 0, to: length, by: 4096) { sum += Int(file.bytes[place]) }
        #expect(sum == 7 * length / 4096)
        let touched = memory.byteCount
        #expect(touched - before > length / 2)
        file.releasePages()
        #expect(touched - memory.byteCount > length / 2)
    }

    @Test func theHostHasANameAndProcessors() {
        #expect(!Host.name.isEmpty)
        #expect(Host.processorCount > 0)
    }

    @Test(arguments: [0, 1, 256, 257, 1000])
    func randomBytesAreAsManyAsAskedFor(_ count: Int) {
        #expect(randomBytes(count).count == count)
        if count > 16 { #expect(randomBytes(count) != randomBytes(count)) }
    }

    @Test func aSignalArrivesAtTheThreadThatWaits() throws {
        let got = Monitor<[ProcessSignal]>([])
        let thread = try SystemThread("signals") {
            Signals.prepare()
            pthread_kill(pthread_self(), SIGHUP)
            let signal = Signals.next()
            got.withLock { $0.append(signal) }
        }
        thread.join()
        #expect(got.withLock { $0 } == [.hangUp])
    }
}
