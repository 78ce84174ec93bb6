/* The primitives that TypeScript sees as the object `host`: system calls, the address of a buffer, text to UTF-8 and
 * back, a hash, and what the program was started with. syscalls/engine/host.ts has their types. */
#include "engine.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/syscall.h>
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

bool bytes_of(JSContext *context, JSValueConst value, uint8_t **bytes, size_t *length) {
  size_t offset, whole;
  JSValue buffer = JS_GetTypedArrayBuffer(context, value, &offset, length, NULL);
  if (JS_IsException(buffer)) return false;
  *bytes = JS_GetArrayBuffer(context, &whole, buffer);
  JS_FreeValue(context, buffer); /* the view holds it */
  if (*bytes == NULL && whole != 0) return false;
  if (*bytes != NULL) *bytes += offset;
  return true;
}

/* A register: a whole number, the low 64 bits of a bigint, or where a buffer is. */
static bool word(JSContext *context, JSValueConst value, int position, long *out) {
  int64_t number;
  uint8_t *bytes;
  size_t length;
  double inexact;
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
    *out = (long)inexact;
    return true;
  case JS_TAG_BIG_INT:
  case JS_TAG_SHORT_BIG_INT:
    if (JS_ToBigInt64(context, &number, value) != 0) return false;
    *out = number;
    return true;
  case JS_TAG_OBJECT:
    if (!bytes_of(context, value, &bytes, &length)) return false;
    *out = length == 0 ? 0 : (long)bytes;
    return true;
  default:
    break;
  }
  JS_ThrowTypeError(context, "syscall: argument %d is no number, bigint or buffer", position);
  return false;
}

PRIMITIVE(host_syscall) {
  long words[7] = {0};
  if (forbidden(context, "syscall")) return JS_EXCEPTION;
  if (count < 1 || count > 7) return JS_ThrowTypeError(context, "syscall: %d arguments", count);
  for (int i = 0; i < count; i++)
    if (!word(context, arguments[i], i, &words[i])) return JS_EXCEPTION;
  long result = syscall(words[0], words[1], words[2], words[3], words[4], words[5], words[6]);
  return JS_NewInt64(context, result == -1 ? -errno : result);
}

PRIMITIVE(host_address_of) {
  uint8_t *bytes;
  size_t length;
  if (!bytes_of(context, arguments[0], &bytes, &length)) return JS_EXCEPTION;
  return JS_NewInt64(context, length == 0 ? 0 : (int64_t)(intptr_t)bytes);
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

PRIMITIVE(host_valid_utf8) {
  uint8_t *bytes;
  size_t length;
  if (!bytes_of(context, arguments[0], &bytes, &length)) return JS_EXCEPTION;
  return JS_NewInt64(context, (int64_t)valid_beginning(bytes, length));
}

static JSValue text_of(JSContext *context, const uint8_t *bytes, size_t length) {
  size_t at = valid_beginning(bytes, length);
  if (at == length) return JS_NewStringLen(context, (const char *)bytes, length);
  if (length > SIZE_MAX / 4) out_of_memory();
  uint8_t *mended = js_malloc(context, 3 * length);
  size_t end = at;
  memcpy(mended, bytes, at);
  while (at < length) {
    int step = character(bytes + at, length - at);
    if (step > 0) memcpy(mended + end, bytes + at, (size_t)step);
    else memcpy(mended + end, "\xef\xbf\xbd", 3);
    end += step > 0 ? (size_t)step : 3;
    at += (size_t)(step > 0 ? step : -step);
  }
  JSValue text = JS_NewStringLen(context, (const char *)mended, end);
  js_free(context, mended);
  return text;
}

PRIMITIVE(host_decode) {
  uint8_t *bytes;
  size_t length;
  if (!bytes_of(context, arguments[0], &bytes, &length)) return JS_EXCEPTION;
  return text_of(context, length == 0 ? (const uint8_t *)"" : bytes, length);
}

static JSValue byte_array(JSContext *context, const uint8_t *bytes, size_t length) {
  JSValue buffer = JS_NewArrayBufferCopy(context, bytes, length);
  if (JS_IsException(buffer)) return buffer;
  JSValueConst arguments[3] = {buffer, JS_UNDEFINED, JS_UNDEFINED};
  JSValue array = JS_NewTypedArray(context, 3, arguments, JS_TYPED_ARRAY_UINT8);
  JS_FreeValue(context, buffer);
  return array;
}

PRIMITIVE(host_encode) {
  size_t length, whole;
  uint8_t *bytes;
  if (!JS_IsString(arguments[0])) return JS_ThrowTypeError(context, "encode: no string");
  const char *text = JS_ToCStringLen(context, &length, arguments[0]);
  if (text == NULL) return JS_EXCEPTION;
  JSValue array = byte_array(context, (const uint8_t *)text, length);
  JS_FreeCString(context, text);
  /* The engine writes half of a surrogate pair as three bytes, as many as U+FFFD has. */
  if (JS_IsException(array) || !bytes_of(context, array, &bytes, &whole)) return array;
  for (size_t at = 0; (at += valid_beginning(bytes + at, whole - at)) < whole; at += 3)
    memcpy(bytes + at, "\xef\xbf\xbd", 3);
  return array;
}

/* FNV-1a of 64 bits, eight bytes at a time: a name for a text, no proof of it. */
PRIMITIVE(host_hash) {
  uint8_t *bytes;
  size_t length;
  uint64_t hash = 0xcbf29ce484222325u;
  if (!bytes_of(context, arguments[0], &bytes, &length)) return JS_EXCEPTION;
  for (size_t at = 0; at < length; at++) hash = (hash ^ bytes[at]) * 0x100000001b3u;
  return JS_NewBigUint64(context, hash);
}

PRIMITIVE(host_arguments) {
  if (forbidden(context, "arguments")) return JS_EXCEPTION;
  JSValue list = JS_NewArray(context);
  for (uint32_t i = 0; given_arguments[i] != NULL; i++)
    JS_SetPropertyUint32(context, list, i,
                         text_of(context, (const uint8_t *)given_arguments[i], strlen(given_arguments[i])));
  return list;
}

/* The bytes of the environment as they are, each variable with the NUL that ends it. */
PRIMITIVE(host_environment) {
  size_t length = 0, at = 0;
  uint8_t *bytes;
  if (forbidden(context, "environment")) return JS_EXCEPTION;
  for (char **variable = given_environment; *variable != NULL; variable++) length += strlen(*variable) + 1;
  JSValue size = JS_NewInt64(context, (int64_t)length);
  JSValue array = JS_NewTypedArray(context, 1, (JSValueConst *)&size, JS_TYPED_ARRAY_UINT8);
  if (JS_IsException(array) || length == 0 || !bytes_of(context, array, &bytes, &length)) return array;
  for (char **variable = given_environment; *variable != NULL; variable++) {
    memcpy(bytes + at, *variable, strlen(*variable) + 1);
    at += strlen(*variable) + 1;
  }
  return array;
}

void define_function(JSContext *context, JSValueConst object, const char *name, JSCFunction *function, int arity) {
  JS_SetPropertyStr(context, object, name, JS_NewCFunction(context, function, name, arity));
}

void define_host(JSContext *context) {
#if defined(__x86_64__)
  const char *architecture = "x86_64";
#elif defined(__aarch64__)
  const char *architecture = "aarch64";
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
