namespace Ash.Server.Access;

/// <summary>What a key may do. Each scope holds the ones before it.</summary>
internal enum AccessScope
{
    /// <summary>Look at everything but keys and credentials.</summary>
    Read,

    /// <summary>Change everything but keys and credentials.</summary>
    Write,

    /// <summary>Everything.</summary>
    Admin,
}
