/*
 * As much of Node as the addon asks for, in plain C: loads a binary where there is no Node for its C library
 * or its CPU, and multiplies with every executor that it finds. What it shows: the loader resolves all of
 * the binary's symbols, its threads start, work and end, and its products are right. What it does not
 * show: that Node itself, built for that system, calls it as this does.
 *
 *     host pupil.node
 */
#include <dlfcn.h>
#include <math.h>
#include <node_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PROPERTIES = 128, MOST_ELEMENTS = 8, MEMORY = 1 << 22, THREADS = 2 };

/* Every JavaScript value that occurs. */
struct napi_value__ {
  double number;
  char text[32];
  void *bytes;
  napi_callback run;
  void *data;
  int count;
  struct {
    char name[32];
    napi_value value;
  } properties[];
};

struct napi_callback_info__ {
  size_t count;
  napi_value *arguments;
  void *data;
};

static char error[200];

static napi_value new_value(int properties) {
  napi_value value = calloc(1, sizeof *value + (size_t)properties * sizeof value->properties[0]);
  if (value == NULL) abort();
  return value;
}

static napi_value number(double n) {
  napi_value value = new_value(0);
  value->number = n;
  return value;
}

napi_status napi_create_function(napi_env env, const char *name, size_t length, napi_callback run,
                                 void *data, napi_value *result) {
  (void)env, (void)name, (void)length;
  *result = new_value(0);
  (*result)->run = run;
  (*result)->data = data;
  return napi_ok;
}

napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *count,
                             napi_value *arguments, napi_value *self, void **data) {
  (void)env, (void)self;
  for (size_t i = 0; count != NULL && i < *count && i < info->count; i++) {
    arguments[i] = info->arguments[i];
  }
  if (count != NULL) *count = info->count;
  if (data != NULL) *data = info->data;
  return napi_ok;
}

napi_status napi_get_typedarray_info(napi_env env, napi_value value, napi_typedarray_type *type,
                                     size_t *length, void **data, napi_value *buffer, size_t *offset) {
  (void)env, (void)length, (void)buffer, (void)offset;
  *type = napi_uint8_array;
  *data = value->bytes;
  return napi_ok;
}

napi_status napi_get_value_uint32(napi_env env, napi_value value, uint32_t *result) {
  (void)env;
  *result = (uint32_t)value->number;
  return napi_ok;
}

napi_status napi_get_value_int32(napi_env env, napi_value value, int32_t *result) {
  (void)env;
  *result = (int32_t)value->number;
  return napi_ok;
}

napi_status napi_get_value_int64(napi_env env, napi_value value, int64_t *result) {
  (void)env;
  *result = (int64_t)value->number;
  return napi_ok;
}

napi_status napi_get_value_double(napi_env env, napi_value value, double *result) {
  (void)env;
  *result = value->number;
  return napi_ok;
}

napi_status napi_get_value_string_utf8(napi_env env, napi_value value, char *text, size_t size,
                                       size_t *length) {
  (void)env;
  snprintf(text, size, "%s", value->text);
  *length = strlen(text);
  return napi_ok;
}

napi_status napi_create_int32(napi_env env, int32_t n, napi_value *result) {
  (void)env;
  *result = number(n);
  return napi_ok;
}

napi_status napi_create_string_utf8(napi_env env, const char *text, size_t length, napi_value *result) {
  (void)env, (void)length;
  *result = new_value(0);
  snprintf((*result)->text, sizeof (*result)->text, "%s", text);
  return napi_ok;
}

napi_status napi_create_object(napi_env env, napi_value *result) {
  (void)env;
  *result = new_value(MOST_PROPERTIES);
  return napi_ok;
}

napi_status napi_create_array(napi_env env, napi_value *result) {
  (void)env;
  *result = new_value(MOST_ELEMENTS);
  return napi_ok;
}

napi_status napi_set_element(napi_env env, napi_value list, uint32_t index, napi_value value) {
  (void)env;
  if (index >= MOST_ELEMENTS) return napi_generic_failure;
  list->properties[index].value = value;
  list->count = (int)index + 1;
  return napi_ok;
}

napi_status napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value) {
  (void)env;
  if (object->count == MOST_PROPERTIES) return napi_generic_failure;
  snprintf(object->properties[object->count].name, sizeof object->properties[0].name, "%s", name);
  object->properties[object->count++].value = value;
  return napi_ok;
}

napi_status napi_create_reference(napi_env env, napi_value value, uint32_t count, napi_ref *result) {
  (void)env, (void)count;
  *result = (napi_ref)(void *)value;
  return napi_ok;
}

napi_status napi_delete_reference(napi_env env, napi_ref reference) {
  (void)env, (void)reference;
  return napi_ok;
}

napi_status napi_add_finalizer(napi_env env, napi_value value, void *data, napi_finalize finalize,
                               void *hint, napi_ref *result) {
  (void)env, (void)value, (void)data, (void)finalize, (void)hint, (void)result;
  return napi_ok;
}

napi_status napi_throw_error(napi_env env, const char *code, const char *message) {
  (void)env, (void)code;
  snprintf(error, sizeof error, "%s", message);
  return napi_ok;
}

static napi_value call(napi_value object, const char *name, napi_value *arguments, size_t count) {
  for (int i = 0; i < object->count; i++) {
    if (strcmp(object->properties[i].name, name) != 0) continue;
    napi_value function = object->properties[i].value;
    struct napi_callback_info__ info = {count, arguments, function->data};
    return function->run(NULL, &info);
  }
  snprintf(error, sizeof error, "there is no %s", name);
  return NULL;
}

/* [n, n]·[n, n] by the engine and by three loops; the largest difference. */
static double largest_difference(napi_value kernels, char *base, int n) {
  const int a = 1024, b = a + 4 * n * n, c = b + 4 * n * n;
  float *x = (float *)(void *)(base + a), *y = (float *)(void *)(base + b);
  const float *z = (float *)(void *)(base + c);
  for (int i = 0; i < n * n; i++) {
    x[i] = (float)(i * 7 % 11) - 5;
    y[i] = (float)(i * 5 % 13) - 6;
  }
  const int numbers[] = {a, b, c, 0, 1, n, n, n, 0, n * n, n * n};
  napi_value arguments[11];
  for (int i = 0; i < 11; i++) arguments[i] = number(numbers[i]);
  if (call(kernels, "matmul", arguments, 11) == NULL) return INFINITY;
  double most = 0;
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      double sum = 0;
      for (int k = 0; k < n; k++) sum += (double)x[i * n + k] * (double)y[k * n + j];
      most = fmax(most, fabs(sum - (double)z[i * n + j]));
    }
  }
  return most;
}

int main(int count, char **words) {
  void *library = count == 2 ? dlopen(words[1], RTLD_NOW) : NULL;
  if (library == NULL) {
    fprintf(stderr, "%s\n", count == 2 ? dlerror() : "usage: host pupil.node");
    return 1;
  }
  napi_value (*start)(napi_env, napi_value);
  *(void **)&start = dlsym(library, "napi_register_module_v1");
  if (start == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
  napi_value exports = start(NULL, new_value(MOST_PROPERTIES));
  napi_value executors = call(exports, "executors", NULL, 0);
  for (int i = 0; executors != NULL && i < executors->count; i++) {
    napi_value bytes = new_value(0), name = executors->properties[i].value;
    if (posix_memalign(&bytes->bytes, 4096, MEMORY) != 0) return 1;
    napi_value arguments[] = {bytes, name, number(THREADS), number(MEMORY)};
    napi_value kernels = call(exports, "attach", arguments, 4);
    /* Small and on one thread, and large enough for two. */
    const double small = kernels ? largest_difference(kernels, bytes->bytes, 17) : INFINITY;
    const double large = kernels ? largest_difference(kernels, bytes->bytes, 257) : INFINITY;
    if (kernels != NULL) call(kernels, "stopWorkers", NULL, 0);
    if (!(small == 0 && large == 0)) {
      fprintf(stderr, "%s: off by %g and %g %s\n", name->text, small, large, error);
      return 1;
    }
    printf("%s%s", i == 0 ? "" : ", ", name->text);
  }
  printf("\n");
  return executors == NULL || executors->count == 0;
}
