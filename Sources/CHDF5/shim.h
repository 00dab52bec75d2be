// HDF5's constants are macros that call into the library or read its variables, which Swift cannot import: here they
// are functions. Versioned calls (`H5Dopen2`) are made by their full names, so that no compatibility macro decides.
#ifndef LUNA_CHDF5_SHIM_H
#define LUNA_CHDF5_SHIM_H

#include <hdf5.h>
#include <string.h>

static inline hid_t luna_h5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t luna_h5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t luna_h5_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t luna_h5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t luna_h5_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t luna_h5_native_uint64(void) { return H5T_NATIVE_UINT64; }

// What stands in files: the same bytes on every machine.
static inline hid_t luna_h5_file_float(void) { return H5T_IEEE_F32LE; }
static inline hid_t luna_h5_file_double(void) { return H5T_IEEE_F64LE; }
static inline hid_t luna_h5_file_int32(void) { return H5T_STD_I32LE; }
static inline hid_t luna_h5_file_int64(void) { return H5T_STD_I64LE; }
static inline hid_t luna_h5_file_uint8(void) { return H5T_STD_U8LE; }
static inline hid_t luna_h5_file_uint64(void) { return H5T_STD_U64LE; }
static inline hid_t luna_h5_c_string(void) { return H5T_C_S1; }

static inline hid_t luna_h5_class_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t luna_h5_class_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t luna_h5_class_group_create(void) { return H5P_GROUP_CREATE; }
static inline hid_t luna_h5_class_link_create(void) { return H5P_LINK_CREATE; }
static inline hid_t luna_h5_class_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t luna_h5_default(void) { return H5P_DEFAULT; }
static inline hid_t luna_h5_all(void) { return H5S_ALL; }

static inline H5L_type_t luna_h5_external_link(void) { return H5L_TYPE_EXTERNAL; }

static inline unsigned luna_h5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned luna_h5_truncate(void) { return H5F_ACC_TRUNC; }

/// No locks on files that are only read: network file systems refuse them (errno 11 and 524).
static inline herr_t luna_h5_disable_locking(hid_t access) {
#if H5_VERS_MAJOR > 1 || H5_VERS_MINOR > 12 || (H5_VERS_MINOR == 12 && H5_VERS_RELEASE >= 1) \
    || (H5_VERS_MINOR == 10 && H5_VERS_RELEASE >= 7)
    return H5Pset_file_locking(access, 0, 1);
#else
    (void)access;
    return 0;
#endif
}

/// Turns off the automatic printing of errors; the setting is per thread in thread-safe builds.
static inline herr_t luna_h5_silence(void) { return H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

struct luna_h5_text {
    char *buffer;
    size_t capacity;
    size_t length;
};

static inline herr_t luna_h5_append_error(unsigned depth, const H5E_error2_t *error, void *text_pointer) {
    struct luna_h5_text *text = (struct luna_h5_text *)text_pointer;
    (void)depth;
    if (error->desc == NULL) return 0;
    size_t length = strlen(error->desc);
    if (text->length + length + 1 >= text->capacity) return 0;
    memcpy(text->buffer + text->length, error->desc, length);
    text->length += length;
    text->buffer[text->length++] = '\n';
    text->buffer[text->length] = 0;
    return 0;
}

/// Writes the descriptions of the thread's error stack, the innermost first, one a line.
static inline void luna_h5_error_text(char *buffer, size_t capacity) {
    struct luna_h5_text text = {buffer, capacity, 0};
    if (capacity > 0) buffer[0] = 0;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, luna_h5_append_error, &text);
}

struct luna_h5_visitor {
    void (*visit)(const char *name, void *context);
    void *context;
};

static inline herr_t luna_h5_visit_link(hid_t group, const char *name, const H5L_info_t *info, void *visitor_pointer) {
    const struct luna_h5_visitor *visitor = (const struct luna_h5_visitor *)visitor_pointer;
    (void)group;
    (void)info;
    visitor->visit(name, visitor->context);
    return 0;
}

/// Hands over the names in a group, in the order they are stored in: to sort them, HDF5 1.10 makes a table of a large
/// group's links, and where one is damaged it frees entries that it never filled. Of a small group's it makes a table in
/// any order; so each link is looked at first, by searching for one.
static inline herr_t luna_h5_visit_names(
    hid_t file, const char *path, void (*visit)(const char *name, void *context), void *context) {
    struct luna_h5_visitor visitor = {visit, context};
    hid_t group = H5Gopen2(file, path, H5P_DEFAULT);
    if (group < 0) return -1;
    herr_t status = H5Lexists(group, "any", H5P_DEFAULT);
    if (status >= 0) status = H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, luna_h5_visit_link, &visitor);
    // A close that succeeds would clear the error stack, which says why the visit failed.
    hid_t errors = H5Eget_current_stack();
    H5Gclose(group);
    if (errors >= 0) H5Eset_current_stack(errors);
    return status;
}

#endif
