#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The natural logarithm and exponential of the C library, under names that do not hide in overload sets.
func logarithm(_ value: Double) -> Double { log(value) }
func exponential(_ value: Double) -> Double { exp(value) }
