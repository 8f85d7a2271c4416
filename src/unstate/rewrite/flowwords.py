"""The words by which the flow of a value is judged: methods that change it, calls that read it, nodes that pass it."""

from __future__ import annotations

import libcst as cst

READS = frozenset(
    "get keys values items copy index count isoformat strftime timestamp total_seconds lower upper strip split "
    "startswith endswith join format encode decode replace title model_dump model_dump_json dict json to_dict to_json "
    "union intersection difference issubset issuperset isdisjoint hex bit_length is_alive".split()
)
# Methods that leave what a buffer or an array holds as it is, and give no part of it that can be changed.
OPAQUE_READS = frozenset(
    "getvalue read read1 readline readlines readinto seek tell seekable readable close copy tobytes tolist astype mean "
    "sum min max std var any all argmax argmin nonzero item dot round".split()
)
OPAQUE_FIELDS = frozenset("shape dtype size ndim nbytes itemsize closed".split())
# Calls that only read a buffer or an array that they are handed.
OPAQUE_READERS = frozenset(
    "len isinstance id type bool print repr send_file StreamingResponse StreamingHttpResponse FileResponse imencode "
    "read_csv read_excel read_parquet read_json PdfReader load_workbook frombuffer array_equal".split()
)
KEEPING = frozenset("get values items copy dict model_dump to_dict".split())  # what they give may hold parts of it
CHANGES = frozenset(
    "append extend insert remove pop popitem clear update setdefault add discard sort reverse appendleft popleft "
    "difference_update intersection_update symmetric_difference_update".split()
)
CONSUMERS = frozenset(
    "hasattr callable id len str repr bool int float sum any all min max isinstance hash print type jsonify dumps "
    "dump JSONResponse "
    "send_file send_from_directory FileResponse open "
    "json_response render_template render make_response debug info warning error exception critical log Response "
    "redirect RedirectResponse HttpResponseRedirect "
    "HTTPException abort emit send send_json send_text publish _ gettext ngettext lazy_gettext".split()
)
ASKING = frozenset(  # methods that look for what they are handed, or make text of it
    "get pop index count discard remove startswith endswith join format find rfind split rsplit partition rpartition "
    "replace strip lstrip rstrip removeprefix removesuffix encode decode isoformat".split()
)
COPIES = frozenset(
    "cast getattr list dict set tuple frozenset sorted reversed enumerate zip iter next filter map deepcopy".split()
)

READING = (
    cst.Comparison,
    cst.ComparisonTarget,
    cst.UnaryOperation,
    cst.If,
    cst.While,
    cst.Assert,
    cst.Index,
    cst.FormattedStringExpression,
    cst.Expr,
    cst.CompIf,
    cst.AugAssign,
    cst.Slice,
)
PASSING = (
    cst.BooleanOperation,
    cst.IfExp,
    cst.BinaryOperation,
    cst.Await,
    cst.Element,
    cst.StarredElement,
    cst.DictElement,
    cst.StarredDictElement,
    cst.List,
    cst.Tuple,
    cst.Dict,
    cst.Set,
    cst.ListComp,
    cst.DictComp,
    cst.SetComp,
    cst.GeneratorExp,
)

HOLDERS = frozenset(  # calls that keep what they are handed, or run a function on it later
    "append appendleft add insert extend put put_nowait setdefault register subscribe push Thread Timer Process submit "
    "run_in_executor create_task ensure_future gather to_thread add_task partial apply_async delay send_task map "
    "call_soon call_later start_soon shuffle heappush heapify heappop insort exec eval vars".split()
)
STARTERS = frozenset({"Thread", "Timer", "Process"})  # calls that start `target` with `args`
RUNNERS = {  # calls that run a function with the arguments behind it: its place
    **dict.fromkeys("submit to_thread add_task start_soon call_soon partial run_in_threadpool".split(), 0),
    **dict.fromkeys("run_in_executor call_later".split(), 1),
}
KEPT_ELSEWHERE = "it is kept elsewhere"  # why an entry stays: a container that is followed no further has it
FILLS = frozenset("append appendleft add insert extend".split())  # put what they are handed into a container
PURE_MODULES = frozenset(  # of the standard library: their functions change nothing that they are handed
    "hmac secrets hashlib base64 binascii json re urllib html datetime time math logging uuid os string textwrap "
    "decimal fractions statistics ipaddress mimetypes zlib unicodedata colorsys calendar email struct".split()
)
BUILTIN_TYPES = frozenset("str bytes int float dict list set tuple bytearray".split())
LOGGERS = frozenset("log logger logging LOG LOGGER _log _logger".split())
COMMON_METHODS = frozenset(  # of the containers themselves: a method called so cannot be told apart by its name
    name for kind in (dict, list, set) for name in dir(kind)
)
VIEWS = frozenset(  # classes of frameworks whose methods answer requests
    "MethodView Resource View APIView GenericAPIView ViewSet ModelViewSet RequestHandler HTTPEndpoint".split()
)
VERBS = frozenset("get post put patch delete head options list retrieve create update destroy".split())
