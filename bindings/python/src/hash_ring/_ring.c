/*
 * The part of HashRing that is worth a compiled one: a ring behind ketama.h and the nodes that it
 * returns, so that a lookup is one call of a method and no Python code.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <ketama.h>
#include <string.h>

/* Below this many keys, handing the interpreter to another thread costs more than it frees. */
#define KEYS_WORTH_A_RELEASE 1000

typedef struct {
    PyObject_HEAD
    ketama_ring *ring; /* NULL until the first _set(). Has a server of no node if there is none. */
    PyObject *nodes;   /* A tuple, in the order of the ring's servers; NULL as long as the ring is. */
    int looks_back;    /* Whether a walk goes to lower positions. */
    int has_twins;     /* Whether nodes share a name. */
} Ring;

/* Raises what a call of the library says. */
static PyObject *failed(ketama_status status) {
    PyObject *kind = status == KETAMA_UNREADABLE       ? PyExc_OSError
                     : status == KETAMA_OUT_OF_MEMORY  ? PyExc_MemoryError
                     : status == KETAMA_INTERNAL_ERROR ? PyExc_RuntimeError
                                                       : PyExc_ValueError;
    PyErr_SetString(kind, ketama_last_error());
    return NULL;
}

static int is_ready(const Ring *self) {
    if (!self->ring)
        PyErr_SetString(PyExc_RuntimeError, "HashRing.__init__() has not been called");
    return self->ring != NULL;
}

/* A ring and its nodes while Python may run other code, which may put others in their place. */
typedef struct {
    ketama_ring *ring;
    PyObject *nodes;
} Held;

static Held hold(const Ring *self) {
    Py_INCREF(self->nodes);
    return (Held){ketama_ring_retain(self->ring), self->nodes};
}

static void let_go(Held held) {
    ketama_ring_free(held.ring);
    Py_DECREF(held.nodes);
}

/* The only argument, which may be given by name; borrowed. */
static PyObject *only_key(PyObject *const *args, Py_ssize_t count, PyObject *names) {
    if (count == 1 && !names)
        return args[0];
    if (count == 0 && names && PyTuple_GET_SIZE(names) == 1 &&
        PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "key") == 0)
        return args[0];
    PyErr_SetString(PyExc_TypeError, "takes one argument, key");
    return NULL;
}

/* The bytes of a key: they live as long as it. */
static int key_bytes(PyObject *key, const char **data, Py_ssize_t *len) {
    if (PyUnicode_Check(key)) {
        *data = PyUnicode_AsUTF8AndSize(key, len);
        return *data != NULL;
    }
    if (PyBytes_Check(key)) {
        *data = PyBytes_AS_STRING(key);
        *len = PyBytes_GET_SIZE(key);
        return 1;
    }
    PyErr_Format(PyExc_TypeError, "a key is str or bytes, not %.100s", Py_TYPE(key)->tp_name);
    return 0;
}

/* The node of a server; None for the server of an empty ring. */
static PyObject *node(PyObject *nodes, size_t server) {
    PyObject *found = server < (size_t)PyTuple_GET_SIZE(nodes) ? PyTuple_GET_ITEM(nodes, server) : Py_None;
    Py_INCREF(found);
    return found;
}

PyDoc_STRVAR(set_doc, "_set(nodes, names, weights, dialect, has_twins): takes the place of the ring");
static PyObject *ring_set(Ring *self, PyObject *args) {
    PyObject *nodes, *names, *weights;
    const char *name;
    int has_twins;
    if (!PyArg_ParseTuple(args, "O!O!O!sp", &PyTuple_Type, &nodes, &PyList_Type, &names, &PyList_Type, &weights,
                          &name, &has_twins))
        return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(nodes);
    if (PyList_GET_SIZE(names) != count || PyList_GET_SIZE(weights) != count) {
        PyErr_SetString(PyExc_ValueError, "one name and one weight for each node");
        return NULL;
    }
    ketama_dialect dialect;
    ketama_status status = ketama_dialect_from_name(name, &dialect);
    if (status != KETAMA_OK)
        return failed(status);
    ketama_server *servers = PyMem_Calloc((size_t)count + 1, sizeof *servers);
    if (!servers)
        return PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < count; i++) {
        char *text;
        if (PyBytes_AsStringAndSize(PyList_GET_ITEM(names, i), &text, NULL) < 0)
            goto refused;
        servers[i].name = text;
        servers[i].weight = PyLong_AsUnsignedLongLong(PyList_GET_ITEM(weights, i));
        if (PyErr_Occurred())
            goto refused;
    }
    /* An empty ring has positions too. */
    if (count == 0)
        servers[0] = (ketama_server){"-", 1};
    ketama_ring *ring;
    status = ketama_ring_new(servers, count ? (size_t)count : 1, dialect, &ring);
    PyMem_Free(servers);
    if (status != KETAMA_OK)
        return failed(status);
    ketama_ring *old_ring = self->ring;
    PyObject *old_nodes = self->nodes;
    ketama_rules rules = {.struct_size = sizeof rules};
    ketama_dialect_rules(dialect, &rules);
    self->looks_back = rules.lookup == KETAMA_LOOKUP_AT_OR_BEFORE;
    self->has_twins = has_twins;
    Py_INCREF(nodes);
    self->ring = ring;
    self->nodes = nodes;
    ketama_ring_free(old_ring);
    /* Last, since it may run any code. */
    Py_XDECREF(old_nodes);
    Py_RETURN_NONE;
refused:
    PyMem_Free(servers);
    return NULL;
}

PyDoc_STRVAR(get_node_doc, "get_node($self, /, key)\n--\n\n"
                           "The node that a key (str or bytes) belongs to; None on an empty ring.");
static PyObject *get_node(Ring *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *key = only_key(args, count, names);
    const char *data;
    Py_ssize_t len;
    if (!key || !is_ready(self) || !key_bytes(key, &data, &len))
        return NULL;
    return node(self->nodes, ketama_ring_find(self->ring, data, (size_t)len));
}

PyDoc_STRVAR(get_node_pos_doc, "get_node_pos($self, /, key)\n--\n\n"
                               "The index, in ring order, of the point that a key belongs to; None on an empty ring.");
static PyObject *get_node_pos(Ring *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *key = only_key(args, count, names);
    const char *data;
    Py_ssize_t len;
    if (!key || !is_ready(self) || !key_bytes(key, &data, &len))
        return NULL;
    if (PyTuple_GET_SIZE(self->nodes) == 0)
        Py_RETURN_NONE;
    return PyLong_FromSize_t(ketama_ring_find_point(self->ring, data, (size_t)len));
}

PyDoc_STRVAR(gen_key_doc, "gen_key($self, /, key)\n--\n\nA key's position on the circle, of 32 bits.");
static PyObject *gen_key(Ring *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *key = only_key(args, count, names);
    const char *data;
    Py_ssize_t len;
    if (!key || !is_ready(self) || !key_bytes(key, &data, &len))
        return NULL;
    return PyLong_FromUnsignedLong(ketama_ring_hash(self->ring, data, (size_t)len));
}

/* Keys, one behind the other, and room for their servers. */
typedef struct {
    char *bytes;
    size_t len, capacity;
    uint32_t *offsets, *servers;
} Packed;

static int pack(Packed *packed, PyObject *const *keys, size_t n) {
    packed->offsets = PyMem_Malloc((n + 1) * sizeof *packed->offsets);
    packed->servers = PyMem_Malloc((n + 1) * sizeof *packed->servers);
    packed->capacity = 32 * n + 1;
    packed->bytes = PyMem_Malloc(packed->capacity);
    if (!packed->offsets || !packed->servers || !packed->bytes)
        return PyErr_NoMemory() != NULL;
    packed->offsets[0] = 0;
    for (size_t i = 0; i < n; i++) {
        const char *data;
        Py_ssize_t len;
        if (!key_bytes(keys[i], &data, &len))
            return 0;
        if ((size_t)len > UINT32_MAX - packed->len) {
            PyErr_SetString(PyExc_OverflowError, "the keys have more than 4 GiB together");
            return 0;
        }
        if ((size_t)len > packed->capacity - packed->len) {
            size_t capacity = 2 * (packed->len + (size_t)len);
            char *bytes = PyMem_Realloc(packed->bytes, capacity);
            if (!bytes)
                return PyErr_NoMemory() != NULL;
            packed->bytes = bytes;
            packed->capacity = capacity;
        }
        memcpy(packed->bytes + packed->len, data, (size_t)len);
        packed->len += (size_t)len;
        packed->offsets[i + 1] = (uint32_t)packed->len;
    }
    return 1;
}

PyDoc_STRVAR(get_nodes_many_doc, "get_nodes_many($self, keys, /)\n--\n\n"
                                 "The nodes of many keys, in their order, as get_node() gives them.\n\n"
                                 "Much faster than as many calls. The keys have at most 4 GiB together.");
static PyObject *get_nodes_many(Ring *self, PyObject *arg) {
    PyObject *keys = PySequence_Fast(arg, "keys is an iterable of keys");
    if (!keys)
        return NULL;
    if (!is_ready(self)) {
        Py_DECREF(keys);
        return NULL;
    }
    size_t n = (size_t)PySequence_Fast_GET_SIZE(keys);
    Held held = hold(self);
    Packed packed = {0};
    PyObject *found = NULL;
    if (pack(&packed, PySequence_Fast_ITEMS(keys), n)) {
        ketama_status status;
        PyThreadState *released = n < KEYS_WORTH_A_RELEASE ? NULL : PyEval_SaveThread();
        status = ketama_ring_find_packed(held.ring, packed.bytes, packed.offsets, n, packed.servers);
        if (released)
            PyEval_RestoreThread(released);
        found = status == KETAMA_OK ? PyList_New((Py_ssize_t)n) : failed(status);
    }
    for (size_t i = 0; found && i < n; i++)
        PyList_SET_ITEM(found, i, node(held.nodes, packed.servers[i]));
    PyMem_Free(packed.bytes);
    PyMem_Free(packed.offsets);
    PyMem_Free(packed.servers);
    let_go(held);
    Py_DECREF(keys);
    return found;
}

/* Of the servers of one name keeps the first; returns how many are left. */
static size_t without_twins(const ketama_ring *ring, uint32_t *servers, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = ketama_ring_server_name(ring, servers[i]);
        size_t same = 0;
        while (same < kept && strcmp(name, ketama_ring_server_name(ring, servers[same])) != 0)
            same++;
        if (same == kept)
            servers[kept++] = servers[i];
    }
    return kept;
}

PyDoc_STRVAR(get_nodes_doc, "get_nodes($self, /, key, n=None)\n--\n\n"
                            "The first n distinct nodes from a key's position on, its own first; all for None.");
static PyObject *get_nodes(Ring *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"key", "n", NULL};
    PyObject *key, *n = Py_None;
    const char *data;
    Py_ssize_t len;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:get_nodes", names, &key, &n))
        return NULL;
    Py_ssize_t max = PY_SSIZE_T_MAX;
    if (n != Py_None) {
        max = PyNumber_AsSsize_t(n, NULL);
        if (max == -1 && PyErr_Occurred())
            return NULL;
        if (max < 0)
            return PyErr_Format(PyExc_ValueError, "n is %zd, and not at least 0", max);
    }
    if (!is_ready(self) || !key_bytes(key, &data, &len))
        return NULL;
    size_t count = (size_t)PyTuple_GET_SIZE(self->nodes);
    uint32_t *servers = PyMem_Malloc((count + 1) * sizeof *servers);
    if (!servers)
        return PyErr_NoMemory();
    Held held = hold(self);
    size_t met = ketama_ring_walk(held.ring, data, (size_t)len, servers, self->has_twins ? count : Py_MIN(count, (size_t)max));
    if (self->has_twins)
        met = Py_MIN(without_twins(held.ring, servers, met), (size_t)max);
    PyObject *found = PyList_New((Py_ssize_t)met);
    for (size_t i = 0; found && i < met; i++)
        PyList_SET_ITEM(found, i, node(held.nodes, servers[i]));
    PyMem_Free(servers);
    let_go(held);
    return found;
}

PyDoc_STRVAR(points_doc, "_points(key): the node of every point, once around from the key's");
static PyObject *points(Ring *self, PyObject *key) {
    const char *data;
    Py_ssize_t len;
    if (!is_ready(self) || !key_bytes(key, &data, &len))
        return NULL;
    if (PyTuple_GET_SIZE(self->nodes) == 0)
        return PyList_New(0);
    Held held = hold(self);
    int looks_back = self->looks_back;
    size_t count = ketama_ring_points(held.ring, NULL, 0);
    size_t at = ketama_ring_find_point(held.ring, data, (size_t)len);
    ketama_point *all = PyMem_Calloc(count, sizeof *all);
    PyObject *found = all ? PyList_New((Py_ssize_t)count) : PyErr_NoMemory();
    if (all)
        ketama_ring_points(held.ring, all, count);
    for (size_t i = 0; found && i < count; i++) {
        PyList_SET_ITEM(found, i, node(held.nodes, all[at].server));
        at = looks_back ? (at ? at : count) - 1 : (at + 1) % count;
    }
    PyMem_Free(all);
    let_go(held);
    return found;
}

PyDoc_STRVAR(shares_doc, "_shares(): a list of each node and its share");
static PyObject *shares(Ring *self, PyObject *Py_UNUSED(none)) {
    if (!is_ready(self))
        return NULL;
    Held held = hold(self);
    Py_ssize_t count = PyTuple_GET_SIZE(held.nodes);
    PyObject *found = PyList_New(count);
    for (Py_ssize_t i = 0; found && i < count; i++) {
        PyObject *share =
            Py_BuildValue("(Nd)", node(held.nodes, (size_t)i), ketama_ring_share(held.ring, (size_t)i));
        if (!share)
            Py_CLEAR(found);
        else
            PyList_SET_ITEM(found, i, share);
    }
    let_go(held);
    return found;
}

/* What moves between two rings that have nodes. */
static PyObject *moves(Held from, Held to) {
    size_t count;
    double moved;
    ketama_status status = ketama_ring_compare(from.ring, to.ring, NULL, 0, &count, &moved);
    if (status != KETAMA_OK)
        return failed(status);
    ketama_move *all = PyMem_Calloc(count + 1, sizeof *all);
    if (!all)
        return PyErr_NoMemory();
    ketama_ring_compare(from.ring, to.ring, all, count, NULL, NULL);
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list && i < count; i++) {
        PyObject *move =
            Py_BuildValue("(NNd)", node(from.nodes, all[i].from), node(to.nodes, all[i].to), all[i].share);
        if (!move)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, move);
    }
    PyMem_Free(all);
    return list ? Py_BuildValue("(dN)", moved, list) : NULL;
}

PyDoc_STRVAR(compare_doc, "_compare(other): what moves, and a list of from, to and share");
static PyObject *compare(Ring *self, PyTypeObject *ring_type, PyObject *const *args, Py_ssize_t count,
                         PyObject *names) {
    if (count != 1 || names || !PyObject_TypeCheck(args[0], ring_type)) {
        PyErr_SetString(PyExc_TypeError, "a ring is compared with a HashRing");
        return NULL;
    }
    Ring *other = (Ring *)args[0];
    if (!is_ready(self) || !is_ready(other))
        return NULL;
    Held from = hold(self), to = hold(other);
    PyObject *result = moves(from, to);
    let_go(from);
    let_go(to);
    return result;
}

static int ring_clear(Ring *self) {
    ketama_ring *ring = self->ring;
    self->ring = NULL;
    ketama_ring_free(ring);
    Py_CLEAR(self->nodes);
    return 0;
}

static int ring_traverse(Ring *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->nodes);
    return 0;
}

static void ring_dealloc(Ring *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    ring_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef ring_methods[] = {
    {"get_node", (PyCFunction)(void (*)(void))get_node, METH_FASTCALL | METH_KEYWORDS, get_node_doc},
    {"get_node_pos", (PyCFunction)(void (*)(void))get_node_pos, METH_FASTCALL | METH_KEYWORDS, get_node_pos_doc},
    {"gen_key", (PyCFunction)(void (*)(void))gen_key, METH_FASTCALL | METH_KEYWORDS, gen_key_doc},
    {"get_nodes", (PyCFunction)(void (*)(void))get_nodes, METH_VARARGS | METH_KEYWORDS, get_nodes_doc},
    {"get_nodes_many", (PyCFunction)get_nodes_many, METH_O, get_nodes_many_doc},
    {"_set", (PyCFunction)ring_set, METH_VARARGS, set_doc},
    {"_points", (PyCFunction)points, METH_O, points_doc},
    {"_shares", (PyCFunction)shares, METH_NOARGS, shares_doc},
    {"_compare", (PyCFunction)(void (*)(void))compare, METH_METHOD | METH_FASTCALL | METH_KEYWORDS, compare_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot ring_slots[] = {
    {Py_tp_methods, ring_methods},
    {Py_tp_clear, ring_clear},
    {Py_tp_traverse, ring_traverse},
    {Py_tp_dealloc, ring_dealloc},
    {0, NULL},
};

static PyType_Spec ring_spec = {
    .name = "hash_ring._ring.Ring",
    .basicsize = sizeof(Ring),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = ring_slots,
};

PyDoc_STRVAR(read_doc, "read(path, dialect): the names and weights of a server definition file");
static PyObject *read_file(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *path;
    const char *name;
    if (!PyArg_ParseTuple(args, "O&s", PyUnicode_FSConverter, &path, &name))
        return NULL;
    ketama_dialect dialect;
    ketama_ring *ring = NULL;
    ketama_status status = ketama_dialect_from_name(name, &dialect);
    if (status == KETAMA_OK)
        status = ketama_ring_from_file(PyBytes_AS_STRING(path), dialect, &ring);
    Py_DECREF(path);
    if (status != KETAMA_OK)
        return failed(status);
    Py_ssize_t count = (Py_ssize_t)ketama_ring_server_count(ring);
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list && i < count; i++) {
        PyObject *server = Py_BuildValue("(yK)", ketama_ring_server_name(ring, (size_t)i),
                                         (unsigned long long)ketama_ring_server_weight(ring, (size_t)i));
        if (!server)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, server);
    }
    ketama_ring_free(ring);
    return list;
}

static PyMethodDef module_methods[] = {
    {"read", read_file, METH_VARARGS, read_doc},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module) {
    PyObject *type = PyType_FromSpec(&ring_spec);
    if (!type)
        return -1;
    int status = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    if (status < 0)
        return -1;
    return PyModule_AddStringConstant(module, "version", ketama_version());
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "hash_ring._ring",
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__ring(void) {
    return PyModuleDef_Init(&module);
}
