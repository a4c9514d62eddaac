using System.Buffers;
using System.Text;

namespace Ash.Server.Broker;

/// <summary>
/// Looks in a model request, wherever it is split, for what makes the provider itself reach into the network: a sandbox that
/// may not would send its data out that way.
/// </summary>
/// <remarks>
/// Follows the places of the Messages API (<c>tools</c>, <c>mcp_servers</c>, <c>container</c>, the blocks of messages and of
/// the system prompt) and passes over what is free in form: a tool's input and its schema. Holds a name or a short value at
/// most, never a text. What is written so that the two sides might read it differently is refused.
/// </remarks>
internal sealed class RequestScanner
{
    private const int MaxDepth = 256;
    private const int MaxTokenBytes = 64;

    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[],"u8);
    private static readonly string[] NetworkTools = ["web_search", "web_fetch", "code_execution", "mcp_toolset"];

    private readonly Place[] _places = new Place[MaxDepth];
    private readonly bool[] _isObject = new bool[MaxDepth];
    private readonly byte[] _token = new byte[MaxTokenBytes];
    private int _depth;
    private int _tokenLength;
    private Name _name;
    private bool _isInString;
    private bool _isName;
    private bool _isEscaped;
    private bool _hasEscape;
    private bool _expectsName;

    /// <summary>Where in a request we are; decides which names mean something.</summary>
    private enum Place
    {
        Other,
        Request,
        Tools,
        Tool,
        Messages,
        Message,
        Blocks,
        Block,
        Source,
        Servers,
    }

    private enum Name
    {
        Other,
        Tools,
        Messages,
        System,
        Servers,
        Container,
        Content,
        Source,
        Type,
    }

    /// <summary>What must not go on, in words; null as long as nothing was found.</summary>
    public string? Refusal { get; private set; }

    private bool IsInObject => _depth > 0 && _isObject[_depth - 1];

    private Place Current => _depth == 0 ? Place.Other : _places[_depth - 1];

    /// <summary>Takes the next bytes of the request. Once there is a refusal, none of them may be passed on.</summary>
    public void Read(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && Refusal is null)
        {
            var length = _isInString ? ReadString(bytes) : ReadStructure(bytes);
            bytes = bytes[length..];
        }
    }

    private int ReadString(ReadOnlySpan<byte> bytes)
    {
        if (_isEscaped)
        {
            _isEscaped = false;
            return 1;
        }

        var length = bytes.IndexOfAny((byte)'"', (byte)'\\');
        Keep(length < 0 ? bytes : bytes[..length]);
        if (length < 0)
        {
            return bytes.Length;
        }

        if (bytes[length] == '\\')
        {
            _isEscaped = _hasEscape = true;
        }
        else
        {
            _isInString = false;
            EndString();
        }

        return length + 1;
    }

    private int ReadStructure(ReadOnlySpan<byte> bytes)
    {
        var length = bytes.IndexOfAny(Structure);
        if (length < 0)
        {
            return bytes.Length;
        }

        switch (bytes[length])
        {
            case (byte)'"':
                _isInString = true;
                _isName = _expectsName;
                _hasEscape = false;
                _tokenLength = 0;
                break;
            case (byte)',':
                _expectsName = IsInObject;
                _name = Name.Other;
                break;
            case (byte)'{':
                Open(isObject: true);
                break;
            case (byte)'[':
                Open(isObject: false);
                break;
            default:
                _depth = Math.Max(0, _depth - 1);
                _expectsName = false;
                break;
        }

        return length + 1;
    }

    private void Open(bool isObject)
    {
        if (_depth == MaxDepth)
        {
            Refusal = $"The request is nested more than {MaxDepth} deep.";
            return;
        }

        var place = PlaceOf(isObject);
        if (Current is Place.Servers)
        {
            Refusal = Denied("mcp_servers");
        }
        else if (Current is Place.Request && _name is Name.Container)
        {
            Refusal = Denied("container");
        }

        _places[_depth] = place;
        _isObject[_depth] = isObject;
        _depth++;
        _expectsName = isObject;
        _name = Name.Other;
    }

    private Place PlaceOf(bool isObject) => (Current, _name, isObject) switch
    {
        _ when _depth == 0 => isObject ? Place.Request : Place.Other,
        (Place.Request, Name.Tools, false) => Place.Tools,
        (Place.Request, Name.Messages, false) => Place.Messages,
        (Place.Request, Name.System, false) => Place.Blocks,
        (Place.Request, Name.Servers, false) => Place.Servers,
        (Place.Tools, _, true) => Place.Tool,
        (Place.Messages, _, true) => Place.Message,
        (Place.Message, Name.Content, false) => Place.Blocks,
        (Place.Blocks, _, true) => Place.Block,
        (Place.Block, Name.Content, false) => Place.Blocks,
        (Place.Block, Name.Source, true) => Place.Source,
        (Place.Source, Name.Content, false) => Place.Blocks,
        _ => Place.Other,
    };

    private void EndString()
    {
        var token = _tokenLength <= MaxTokenBytes ? _token.AsSpan(0, _tokenLength) : [];
        if (_isName)
        {
            _expectsName = false;
            _isName = false;
            _name = NameOf(token);
            if (_hasEscape && Current is not Place.Other)
            {
                Refusal = "A name in the request is written with escapes.";
            }
        }
        else if (_name is Name.Type && Current is Place.Tool or Place.Source && _hasEscape)
        {
            Refusal = "A type in the request is written with escapes.";
        }
        else if (_name is Name.Type && Current is Place.Source && token.SequenceEqual("url"u8))
        {
            Refusal = Denied("A source of type url");
        }
        else if (_name is Name.Type && Current is Place.Tool && NetworkToolOf(token) is { } tool)
        {
            Refusal = Denied(tool);
        }
        else if (_name is Name.Container && Current is Place.Request)
        {
            Refusal = Denied("container");
        }
    }

    private static Name NameOf(ReadOnlySpan<byte> token) =>
        token.SequenceEqual("type"u8) ? Name.Type
        : token.SequenceEqual("content"u8) ? Name.Content
        : token.SequenceEqual("source"u8) ? Name.Source
        : token.SequenceEqual("tools"u8) ? Name.Tools
        : token.SequenceEqual("messages"u8) ? Name.Messages
        : token.SequenceEqual("system"u8) ? Name.System
        : token.SequenceEqual("mcp_servers"u8) ? Name.Servers
        : token.SequenceEqual("container"u8) ? Name.Container
        : Name.Other;

    private static string? NetworkToolOf(ReadOnlySpan<byte> type)
    {
        foreach (var tool in NetworkTools)
        {
            if (type.Length >= tool.Length && Ascii.Equals(type[..tool.Length], tool))
            {
                return tool;
            }
        }

        return null;
    }

    private static string Denied(string what) =>
        $"{what}: the model's provider would reach into the network for the sandbox, and this Ash release has no egress policy that allows it.";

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (_tokenLength + bytes.Length > MaxTokenBytes)
        {
            _tokenLength = MaxTokenBytes + 1;
            return;
        }

        bytes.CopyTo(_token.AsSpan(_tokenLength));
        _tokenLength += bytes.Length;
    }
}
