// SPDX-License-Identifier: Apache-2.0

package import Storage

extension Database {
    /// Opens a data folder with its blocks and its head; the folder is created where it is missing.
    package static func open(
        _ directory: String, _ options: DatabaseOptions, _ environment: DatabaseEnvironment,
        walCompression: WALCompression = .snappy
    ) throws(StorageError) -> Database {
        try open(directory, options, environment) {
            (minValidTime) throws(StorageError) in
            var headOptions = HeadOptions()
            headOptions.blockRange = options.blockRange
            headOptions.compression = walCompression
            headOptions.outOfOrderWindow = options.settings.outOfOrderWindow
            headOptions.maxExemplars = options.settings.maxExemplars
            headOptions.floatEncoding = options.settings.floatEncoding
            headOptions.storesStarts = options.storesStarts
            headOptions.hasHistogramStarts = options.hasHistogramStarts
            headOptions.ingestsZeros = options.ingestsZeros
            headOptions.memory = options.memory
            headOptions.filePages = options.filePages
            headOptions.log = environment.log
            return try Head.open(
                directory, headOptions, minValidTime: minValidTime, environment.fileSystem,
                environment.registry)
        }
    }
}
