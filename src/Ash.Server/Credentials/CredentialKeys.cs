using Ash.Server.Configuration;
using Ash.Server.Storage;

namespace Ash.Server.Credentials;

/// <summary>All keys that credentials may be sealed with. Thread-safe.</summary>
internal sealed class CredentialKeys
{
    private readonly Lock _making = new();
    private readonly Dictionary<string, CredentialKey> _known = [];
    private readonly DataFolder _data;
    private CredentialKey? _current;

    /// <exception cref="IOException">The key file of the data folder is damaged.</exception>
    public CredentialKeys(ServerSettings settings, DataFolder data)
    {
        _data = data;
        var own = CredentialKeyFile.TryRead(data);
        _current = settings.CredentialKey is { } text ? CredentialKey.FromText(text) : own;

        // What was sealed before the operator named a key is read with the folder's own.
        var previous = (settings.PreviousCredentialKeys ?? []).Select(CredentialKey.FromText);
        foreach (var key in previous.Append(own).Append(_current).OfType<CredentialKey>())
        {
            _known[key.Id] = key;
        }
    }

    /// <summary>What is sealed now is sealed with this one; null where none was needed yet.</summary>
    public CredentialKey? Current
    {
        get
        {
            lock (_making)
            {
                return _current;
            }
        }
    }

    /// <summary>The current key, made now where there is none.</summary>
    /// <exception cref="StoreException">It cannot be kept.</exception>
    public CredentialKey Require()
    {
        lock (_making)
        {
            if (_current is null)
            {
                _current = Make();
                _known[_current.Id] = _current;
            }

            return _current;
        }
    }

    public CredentialKey? Find(string id)
    {
        lock (_making)
        {
            return _known.GetValueOrDefault(id);
        }
    }

    private CredentialKey Make()
    {
        try
        {
            return CredentialKeyFile.Make(_data);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"The key for credentials could not be written: {failure.Message}", failure);
        }
    }
}
