// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_LIBPQ_H
#define MUX_LIBPQ_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A connection, PGconn in libpq, and what a statement answered, PGresult there.
typedef struct mux_pg_connection mux_pg_connection;
typedef struct mux_pg_result mux_pg_result;
typedef void (*mux_pg_notice_receiver)(void *_Nullable argument,
                                       const mux_pg_result *_Nullable result);

/// Values of libpq's enumerations that are asked about; they do not change between its versions.
#define MUX_PG_CONNECTION_OK 0
#define MUX_PG_COMMAND_OK 1
#define MUX_PG_TUPLES_OK 2
/// 'C' and 'M': the error's code, and its message.
#define MUX_PG_DIAG_SQLSTATE 67
#define MUX_PG_DIAG_MESSAGE_PRIMARY 77

/// PostgreSQL's client library: ROW(result, name, parameters) for each of its functions that is called, by
/// its name without "PQ". What they do, and when they take or give NULL, stands in libpq's documentation.
#define MUX_LIBPQ_FUNCTIONS(ROW)                                                                   \
  ROW(mux_pg_connection *_Nullable, connectdbParams,                                               \
      (const char *_Nullable const *_Nonnull keywords,                                             \
       const char *_Nullable const *_Nonnull values, int expands))                                 \
  ROW(void, finish, (mux_pg_connection *_Nullable connection))                                     \
  ROW(int, status, (const mux_pg_connection *_Nullable connection))                                \
  ROW(const char *_Nullable, errorMessage, (const mux_pg_connection *_Nullable connection))        \
  ROW(int, socket, (const mux_pg_connection *_Nullable connection))                                \
  ROW(int, setnonblocking, (mux_pg_connection *_Nullable connection, int isNonBlocking))           \
  ROW(mux_pg_notice_receiver _Nullable, setNoticeReceiver,                                         \
      (mux_pg_connection *_Nullable connection, mux_pg_notice_receiver _Nullable receiver,         \
       void *_Nullable argument))                                                                  \
  ROW(int, sendQueryParams,                                                                        \
      (mux_pg_connection *_Nullable connection, const char *_Nonnull sql, int count,               \
       const unsigned *_Nullable types, const char *_Nullable const *_Nonnull values,              \
       const int *_Nullable lengths, const int *_Nullable formats, int resultFormat))              \
  ROW(int, flush, (mux_pg_connection *_Nullable connection))                                       \
  ROW(int, consumeInput, (mux_pg_connection *_Nullable connection))                                \
  ROW(int, isBusy, (mux_pg_connection *_Nullable connection))                                      \
  ROW(mux_pg_result *_Nullable, getResult, (mux_pg_connection *_Nullable connection))              \
  ROW(void, clear, (mux_pg_result *_Nullable result))                                              \
  ROW(int, resultStatus, (const mux_pg_result *_Nullable result))                                  \
  ROW(const char *_Nullable, resultErrorField, (const mux_pg_result *_Nullable result, int field)) \
  ROW(int, ntuples, (const mux_pg_result *_Nullable result))                                       \
  ROW(int, nfields, (const mux_pg_result *_Nullable result))                                       \
  ROW(const char *_Nullable, fname, (const mux_pg_result *_Nullable result, int column))           \
  ROW(int, getisnull, (const mux_pg_result *_Nullable result, int row, int column))                \
  ROW(const char *_Nullable, getvalue, (const mux_pg_result *_Nullable result, int row, int column))

#define MUX_LIBPQ_FIELD(result, name, parameters) result(*_Nonnull name) parameters;
typedef struct mux_libpq {
  MUX_LIBPQ_FUNCTIONS(MUX_LIBPQ_FIELD)
} mux_libpq;

/// Opens libpq. It is not linked: it brings some twenty libraries with it (5 MB, and 5 ms at each start of a
/// program) that only studies in PostgreSQL need.
///
/// - names: where to look for the library, as dlopen has it, ended by NULL; the first that opens is taken
/// - library: gets the functions
/// - reason, capacity: get why there are none, as text that ends with 0
/// Returns whether there are. The library stays open.
int mux_libpq_open(const char *_Nullable const *_Nonnull names, mux_libpq *_Nonnull library,
                   char *_Nonnull reason, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
