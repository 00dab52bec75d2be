// Open MPI's handles are macros that cast the addresses of globals: Swift sees them through these getters.
#pragma once

#include <mpi.h>

#define LUNA_MPI(type, name, getter)                                                        \
    static inline __attribute__((always_inline, unused, swift_name("getter:" #getter "()"))) \
    type luna_##getter(void) { return name; }

LUNA_MPI(MPI_Comm, MPI_COMM_WORLD, mpiCommWorld)
LUNA_MPI(MPI_Errhandler, MPI_ERRORS_RETURN, mpiErrorsReturn)
LUNA_MPI(MPI_Datatype, MPI_BYTE, mpiByte)
LUNA_MPI(MPI_Datatype, MPI_FLOAT, mpiFloat)
LUNA_MPI(MPI_Datatype, MPI_DOUBLE, mpiDouble)
LUNA_MPI(MPI_Datatype, MPI_INT64_T, mpiInt64)
LUNA_MPI(MPI_Datatype, MPI_INT, mpiInt)
LUNA_MPI(MPI_Op, MPI_SUM, mpiSum)
LUNA_MPI(MPI_Op, MPI_MIN, mpiMin)
LUNA_MPI(MPI_Op, MPI_MAX, mpiMax)
LUNA_MPI(void *, MPI_IN_PLACE, mpiInPlace)
LUNA_MPI(MPI_Status *, MPI_STATUS_IGNORE, mpiStatusIgnore)
LUNA_MPI(MPI_Status *, MPI_STATUSES_IGNORE, mpiStatusesIgnore)

#undef LUNA_MPI
