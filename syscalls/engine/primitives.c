/* The primitives that TypeScript sees as the object `host`: system calls, the address of a buffer, text to UTF-8 and
 * back, a hash, and what the program was started with. syscalls/engine/host.ts has their types. */
#include "engine.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char **given_arguments, **given_environment;

void set_arguments(char **arguments, char **environment) {
  given_arguments = arguments;
  given_environment = environment;
}

bool forbidden(JSContext *context, const char *primitive) {
  if (!freezing) return false;
  JS_ThrowTypeError(context, "%s: not while the program is being built", primitive);
  return true;
}

bool bytes_of(JSContext *context, JSValueConst value, struct bytes *bytes) {
  size_t offset, whole;
  JSValue buffer = JS_GetTypedArrayBuffer(context, value, &offset, &bytes->length, NULL);
  if (JS_IsException(buffer)) return false;
  bytes->start = JS_GetArrayBuffer(context, &whole, buffer);
  JS_FreeValue(context, buffer); /* the view holds it */
  if (bytes->start == NULL && whole != 0) return false;
  bytes->start = bytes->length == 0 ? NULL : bytes->start + offset;
  return true;
}

/* The length of the character that begins here, 1 to 4; or minus the number of bytes that are the beginning of one
 * (Unicode, table 3-7), which one U+FFFD stands for. */
static int character(const uint8_t *bytes, size_t length) {
  uint8_t first = bytes[0], low = 0x80, high = 0xbf;
  int more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
  if (more < 0) return -1;
  if (first == 0xe0) low = 0xa0;
  if (first == 0xed) high = 0x9f; /* no surrogates */
  if (first == 0xf0) low = 0x90;
  if (first == 0xf4) high = 0x8f; /* nothing above U+10FFFF */
  for (int i = 1; i <= more; i++) {
    if ((size_t)i >= length || bytes[i] < low || bytes[i] > high) return -i;
    low = 0x80;
    high = 0xbf;
  }
  return more + 1;
}

static size_t valid_beginning(const uint8_t *bytes, size_t length) {
  size_t at = 0;
  while (at < length) {
    uint64_t eight;
    if (length - at >= sizeof eight) { /* ASCII in strides */
      memcpy(&eight, bytes + at, sizeof eight);
      if ((eight & 0x8080808080808080u) == 0) {
        at += sizeof eight;
        continue;
      }
    }
    int step = character(bytes + at, length - at);
    if (step < 0) break;
    at += (size_t)step;
  }
  return at;
}

/* A register: a whole number, the low 64 bits of a bigint, where a buffer is, or a copy of a text, to be freed. */
static bool word(JSContext *context, JSValueConst value, int position, int64_t *out, const char **text) {
  size_t length;
  struct bytes bytes;
  double inexact;
  if (JS_IsString(value)) {
    *text = JS_ToCStringLen(context, &length, value);
    *out = (int64_t)(intptr_t)*text;
    /* What the kernel would cut short, or read otherwise than it is meant. */
    if (*text != NULL && strlen(*text) == length && valid_beginning((const uint8_t *)*text, length) == length) return true;
    JS_ThrowTypeError(context, "syscall: argument %d has a NUL or half of a surrogate pair", position);
    return false;
  }
  switch (JS_VALUE_GET_NORM_TAG(value)) {
  case JS_TAG_INT:
    *out = JS_VALUE_GET_INT(value);
    return true;
  case JS_TAG_NULL:
  case JS_TAG_UNDEFINED:
    *out = 0;
    return true;
  case JS_TAG_FLOAT64:
    inexact = JS_VALUE_GET_FLOAT64(value);
    if (!(fabs(inexact) <= 9007199254740991.0) || trunc(inexact) != inexact) break;
    *out = (int64_t)inexact;
    return true;
  case JS_TAG_BIG_INT:
  case JS_TAG_SHORT_BIG_INT:
    return JS_ToBigInt64(context, out, value) == 0;
  case JS_TAG_OBJECT:
    if (!bytes_of(context, value, &bytes)) return false;
    *out = (int64_t)(intptr_t)bytes.start;
    return true;
  }
  JS_ThrowTypeError(context, "syscall: argument %d is no number, bigint or buffer", position);
  return false;
}

PRIMITIVE(host_syscall) {
  int64_t words[7] = {0}, result = 0;
  const char *texts[7] = {NULL};
  bool good = true;
  if (forbidden(context, "syscall")) return JS_EXCEPTION;
  if (count < 1 || count > 7) return JS_ThrowTypeError(context, "syscall: %d arguments", count);
  for (int i = 0; i < count && good; i++) good = word(context, arguments[i], i, &words[i], &texts[i]);
  if (good && (result = syscall(words[0], words[1], words[2], words[3], words[4], words[5], words[6])) == -1)
    result = -errno;
  for (int i = 0; i < count; i++) JS_FreeCString(context, texts[i]);
  return good ? JS_NewInt64(context, result) : JS_EXCEPTION;
}

PRIMITIVE(host_address_of) {
  struct bytes bytes;
  if (!bytes_of(context, arguments[0], &bytes)) return JS_EXCEPTION;
  return JS_NewInt64(context, (int64_t)(intptr_t)bytes.start);
}

PRIMITIVE(host_valid_utf8) {
  struct bytes bytes;
  if (!bytes_of(context, arguments[0], &bytes)) return JS_EXCEPTION;
  return JS_NewInt64(context, (int64_t)valid_beginning(bytes.start, bytes.length));
}

PRIMITIVE(host_decode) {
  struct bytes bytes;
  if (!bytes_of(context, arguments[0], &bytes)) return JS_EXCEPTION;
  size_t at = valid_beginning(bytes.start, bytes.length), end = at;
  if (at == bytes.length) return JS_NewStringLen(context, at == 0 ? "" : (const char *)bytes.start, at);
  char *mended = js_malloc(context, 3 * bytes.length);
  memcpy(mended, bytes.start, at);
  while (at < bytes.length) {
    int step = character(bytes.start + at, bytes.length - at);
    const void *from = step > 0 ? bytes.start + at : (const uint8_t *)"\xef\xbf\xbd";
    memcpy(mended + end, from, step > 0 ? (size_t)step : 3);
    end += step > 0 ? (size_t)step : 3;
    at += (size_t)abs(step);
  }
  JSValue text = JS_NewStringLen(context, mended, end);
  js_free(context, mended);
  return text;
}

/* A Uint8Array of so many zeros, and where they are. */
static JSValue new_bytes(JSContext *context, size_t length, struct bytes *bytes) {
  JSValue size = JS_NewInt64(context, (int64_t)length);
  JSValue array = JS_NewTypedArray(context, 1, (JSValueConst *)&size, JS_TYPED_ARRAY_UINT8);
  if (!JS_IsException(array)) bytes_of(context, array, bytes);
  return array;
}

PRIMITIVE(host_encode) {
  size_t length;
  struct bytes bytes;
  if (!JS_IsString(arguments[0])) return JS_ThrowTypeError(context, "encode: no string");
  const char *text = JS_ToCStringLen(context, &length, arguments[0]);
  if (text == NULL) return JS_EXCEPTION;
  JSValue array = new_bytes(context, length, &bytes);
  if (!JS_IsException(array) && length > 0) {
    memcpy(bytes.start, text, length);
    /* The engine writes half of a surrogate pair as three bytes, as many as U+FFFD has. */
    for (size_t at = 0; (at += valid_beginning(bytes.start + at, length - at)) < length; at += 3)
      memcpy(bytes.start + at, "\xef\xbf\xbd", 3);
  }
  JS_FreeCString(context, text);
  return array;
}

/* FNV-1a of 64 bits: a name for a text, no proof of it. */
PRIMITIVE(host_hash) {
  struct bytes bytes;
  uint64_t hash = 0xcbf29ce484222325u;
  if (!bytes_of(context, arguments[0], &bytes)) return JS_EXCEPTION;
  for (size_t at = 0; at < bytes.length; at++) hash = (hash ^ bytes.start[at]) * 0x100000001b3u;
  return JS_NewBigUint64(context, hash);
}

/* Strings as they are, each with the NUL that ends it. */
static JSValue strings(JSContext *context, const char *primitive, char **list) {
  size_t length = 0;
  struct bytes bytes;
  if (forbidden(context, primitive)) return JS_EXCEPTION;
  for (char **string = list; *string != NULL; string++) length += strlen(*string) + 1;
  JSValue array = new_bytes(context, length, &bytes);
  if (JS_IsException(array)) return array;
  for (char **string = list; *string != NULL; string++)
    bytes.start = mempcpy(bytes.start, *string, strlen(*string) + 1);
  return array;
}

PRIMITIVE(host_arguments) { return strings(context, "arguments", given_arguments); }
PRIMITIVE(host_environment) { return strings(context, "environment", given_environment); }

void define_function(JSContext *context, JSValueConst object, const char *name, JSCFunction *function, int arity) {
  JS_SetPropertyStr(context, object, name, JS_NewCFunction(context, function, name, arity));
}

void define_host(JSContext *context) {
#ifdef __aarch64__
  const char *architecture = "aarch64";
#else
  const char *architecture = "x86_64";
#endif
  JSValue global = JS_GetGlobalObject(context), host = JS_NewObject(context);
  JS_SetPropertyStr(context, host, "architecture", JS_NewString(context, architecture));
  define_function(context, host, "syscall", host_syscall, 7);
  define_function(context, host, "addressOf", host_address_of, 1);
  define_function(context, host, "encode", host_encode, 1);
  define_function(context, host, "decode", host_decode, 1);
  define_function(context, host, "validUtf8", host_valid_utf8, 1);
  define_function(context, host, "hash", host_hash, 1);
  define_function(context, host, "arguments", host_arguments, 0);
  define_function(context, host, "environment", host_environment, 0);
  define_seccomp(context, host);
  JS_SetPropertyStr(context, global, "host", host);
  JS_FreeValue(context, global);
}
