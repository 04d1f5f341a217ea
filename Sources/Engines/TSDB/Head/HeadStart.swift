// SPDX-License-Identifier: Apache-2.0
//
// Before which time a start leaves alone what log and head chunk files hold in order: blocks
// have all of it, or had it and let it go. Mostly the newest block says so by its end, as it does
// upstream; but it may be merged with a part of a later range, be emptied by deletions, or have
// outlived its place, and the log still has the samples. So each truncation notes its time before
// it lets go of anything.
//
// The time only ever grows, but where a block could not be opened: then the blocks that could say
// where the head starts, and the next truncation notes its own time.

internal import Model
internal import Platform

enum HeadStart {
    /// The time that was noted last; the earliest where there is none that can be read, or no log:
    /// what comes then is not what it was about.
    static func read(
        _ directory: String, _ fileSystem: any FileSystem
    ) throws(FileError) -> Timestamp {
        guard let number = try HeadNote.start.read(directory, fileSystem),
            try !WALDirectory("\(directory)/wal", fileSystem).isEmpty
        else { return .earliest }
        return Timestamp(bitPattern: number)
    }

    /// Notes a time, on the device when it returns.
    static func write(
        _ time: Timestamp, _ directory: String, _ fileSystem: any FileSystem
    ) throws(FileError) {
        try HeadNote.start.write(UInt64(bitPattern: time), directory, fileSystem)
    }

    /// Forgets a time that does not count where the log is empty.
    static func removeWithout(
        _ log: WALDirectory, _ directory: String, _ fileSystem: any FileSystem
    ) throws(FileError) {
        if log.isEmpty { try HeadNote.start.remove(directory, fileSystem) }
    }
}
