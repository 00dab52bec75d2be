// What is printed beside a command's result.

import FileIO
import Foundation

enum Messages {
    /// Prints a line about an output, to the standard error where the output itself goes to the standard output.
    static func tell(_ text: String, of output: String) {
        if (try? OutputPlan.isStandardOutput(output)) == true {
            FileHandle.standardError.write(Data("\(text)\n".utf8))
        } else {
            print(text)
        }
    }
}
