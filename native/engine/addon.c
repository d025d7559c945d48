/*
 * The door to JavaScript (Node-API). `executors()` lists what can run here, the fastest first;
 * `attach(bytes, executor, threads, largest)` starts an engine on the memory that `bytes`, a Uint8Array, is
 * a view of and returns an object with the table's kernels as functions, `workerClaims` and
 * `stopWorkers`.
 */
#include <node_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/accelerate.h"
#include "engine/cpu.h"
#include "kernels.h"
#include "engine/platform.h"

#define MAX_ARGUMENTS 24

#if defined(__x86_64__)
extern const struct pupil_entry pupil_table_avx512[], pupil_table_avx2[];
extern const struct pupil_entry pupil_table_baseline[];
#elif defined(__aarch64__)
extern const struct pupil_entry pupil_table_neon[];
#else
extern const struct pupil_entry pupil_table_baseline[];
#endif

static int always(void) { return 1; }

static const struct executor {
  const char *name;
  int (*runs_here)(void);
  const struct pupil_entry *table;
} executors[] = {
#if defined(__x86_64__)
    {"avx512", pupil_has_avx512, pupil_table_avx512},
    {"avx2", pupil_has_avx2, pupil_table_avx2},
    {"baseline", always, pupil_table_baseline},
#elif defined(__aarch64__)
#if defined(__APPLE__)
    {"accelerate", pupil_has_accelerate, pupil_table_neon},
#endif
    {"neon", always, pupil_table_neon},
#else
    {"baseline", always, pupil_table_baseline},
#endif
    {NULL, NULL, NULL},
};

/* Everything of one attached memory; lives as long as any of its functions. */
struct attached {
  struct pupil_engine engine;
  napi_ref bytes;
  int uses; /* by functions */
  struct function {
    const struct pupil_entry *entry;
    pupil_kernel run;
    struct attached *attached;
  } functions[];
};

static napi_value fail(napi_env env, const char *message) {
  napi_throw_error(env, NULL, message);
  return NULL;
}

/* One 8-byte field of a kernel's arguments. */
union field {
  char *address;
  int64_t integer;
  double number;
};
_Static_assert(sizeof(union field) == 8 && sizeof(char *) == 8, "64-bit only");

static napi_status read_argument(napi_env env, napi_value value, char kind, char *base,
                                 union field *field) {
  napi_status status;
  if (kind == 'p') {
    uint32_t address;
    status = napi_get_value_uint32(env, value, &address);
    if (status == napi_ok) field->address = address == 0 ? NULL : base + address;
  } else if (kind == 'i') {
    int32_t integer;
    status = napi_get_value_int32(env, value, &integer);
    if (status == napi_ok) field->integer = integer;
  } else {
    double number;
    status = napi_get_value_double(env, value, &number);
    if (status == napi_ok) field->number = (float)number;
  }
  return status;
}

static napi_value call(napi_env env, napi_callback_info info) {
  napi_value arguments[MAX_ARGUMENTS], result;
  union field fields[MAX_ARGUMENTS];
  size_t count = MAX_ARGUMENTS;
  void *data;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, &data) != napi_ok) return NULL;
  const struct function *function = data;
  struct attached *attached = function->attached;
  const char *signature = function->entry->signature;
  for (size_t i = 0; signature[i] != '\0'; i++) {
    if (i >= count || read_argument(env, arguments[i], signature[i], attached->engine.base,
                                    &fields[i]) != napi_ok) {
      char message[160];
      snprintf(message, sizeof message, "%s: argument %d is missing or not a number.",
               function->entry->name, (int)i);
      return fail(env, message);
    }
  }
  if (attached->engine.pool == NULL) return fail(env, "This engine has ended.");
  int value = function->run(&attached->engine, fields);
  return napi_create_int32(env, value, &result) == napi_ok ? result : NULL;
}

static struct attached *attached_of(napi_env env, napi_callback_info info) {
  void *data = NULL;
  napi_get_cb_info(env, info, NULL, NULL, NULL, &data);
  return data;
}

static napi_value worker_claims(napi_env env, napi_callback_info info) {
  struct attached *attached = attached_of(env, info);
  napi_value result;
  int claims = attached->engine.pool == NULL ? 0 : pupil_pool_claims(attached->engine.pool);
  return napi_create_int32(env, claims, &result) == napi_ok ? result : NULL;
}

static void stop(struct attached *attached) {
  if (attached->engine.pool != NULL) pupil_pool_stop(attached->engine.pool);
  attached->engine.pool = NULL;
}

static napi_value stop_workers(napi_env env, napi_callback_info info) {
  stop(attached_of(env, info));
  return NULL;
}

static void release(napi_env env, void *data, void *hint) {
  (void)hint;
  struct attached *attached = data;
  if (--attached->uses > 0) return;
  stop(attached);
  napi_delete_reference(env, attached->bytes);
  free(attached);
}

/* A function that has `data`, and keeps `attached`, if there is one, alive. */
static int add_function(napi_env env, napi_value object, const char *name, napi_callback run,
                        void *data, struct attached *attached) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, run, data, &function) != napi_ok) return 0;
  if (attached != NULL) {
    if (napi_add_finalizer(env, function, attached, release, NULL, NULL) != napi_ok) return 0;
    attached->uses++;
  }
  return napi_set_named_property(env, object, name, function) == napi_ok;
}

static const struct executor *find_executor(const char *name) {
  for (const struct executor *e = executors; e->name != NULL; e++) {
    if (strcmp(e->name, name) == 0 && e->runs_here()) return e;
  }
  return NULL;
}

/* attach(bytes: Uint8Array, executor: string, threads: number, largest size of the memory: number) */
static napi_value attach(napi_env env, napi_callback_info info) {
  napi_value arguments[4], object;
  size_t count = 4, length;
  void *base;
  char name[16];
  int32_t threads;
  int64_t largest;
  napi_typedarray_type type;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 4 ||
      napi_get_typedarray_info(env, arguments[0], &type, NULL, &base, NULL, NULL) != napi_ok ||
      type != napi_uint8_array ||
      napi_get_value_string_utf8(env, arguments[1], name, sizeof name, &length) != napi_ok ||
      napi_get_value_int32(env, arguments[2], &threads) != napi_ok ||
      napi_get_value_int64(env, arguments[3], &largest) != napi_ok) {
    return fail(env, "attach wants a Uint8Array, the name of an executor and two numbers.");
  }
  const struct executor *executor = find_executor(name);
  if (executor == NULL) return fail(env, "This machine cannot run that executor.");
  size_t kernels = 0;
  while (executor->table[kernels].name != NULL) kernels++;
  struct attached *attached =
      calloc(1, sizeof *attached + kernels * sizeof attached->functions[0]);
  if (attached == NULL) return fail(env, "Out of memory.");
  attached->engine.base = base;
  pupil_large_pages(base, (size_t)largest);
  attached->engine.threads = threads;
  attached->engine.pool = pupil_pool_start(threads);
  if (attached->engine.pool == NULL || napi_create_object(env, &object) != napi_ok ||
      napi_create_reference(env, arguments[0], 1, &attached->bytes) != napi_ok) {
    stop(attached);
    free(attached);
    return fail(env, "Out of memory.");
  }
  int whole = add_function(env, object, "workerClaims", worker_claims, attached, attached) &&
              add_function(env, object, "stopWorkers", stop_workers, attached, attached);
  for (size_t i = 0; whole && i < kernels; i++) {
    const struct pupil_entry *entry = &executor->table[i];
    struct function *function = &attached->functions[i];
    *function = (struct function){entry, entry->run, attached};
    if (strcmp(name, "accelerate") == 0) function->run = pupil_accelerated(entry);
    whole = add_function(env, object, entry->name, call, function, attached);
  }
  return whole ? object : fail(env, "Out of memory.");
}

static napi_value list_executors(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value list, name;
  uint32_t count = 0;
  if (napi_create_array(env, &list) != napi_ok) return NULL;
  for (const struct executor *e = executors; e->name != NULL; e++) {
    if (!e->runs_here()) continue;
    if (napi_create_string_utf8(env, e->name, NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_set_element(env, list, count++, name) != napi_ok) {
      return NULL;
    }
  }
  return list;
}

NAPI_MODULE_INIT() {
  add_function(env, exports, "executors", list_executors, NULL, NULL);
  add_function(env, exports, "attach", attach, NULL, NULL);
  return exports;
}
